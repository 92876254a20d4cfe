"""Scores of predictions, as defined by MatBench and Matbench Discovery."""

import numpy as np

LABEL_THRESHOLD = 0.5  # probabilities above it are the label True
SMALLEST_TRUE_VALUE = 1e-5  # smaller ones are left out of the percentage error
REGRESSION_SCORES = ("mae", "rmse", "mape", "max_error")
CLASSIFICATION_SCORES = ("accuracy", "balanced_accuracy", "f1", "rocauc")
STABILITY_SCORES = (
    "f1 daf precision accuracy tpr tnr mae rmse r2 roc_auc".split()
)  # the order of Table 6 of the paper


def regression_scores(y_true, y_pred):
    """Return the errors of one fold, as defined by MatBench.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        Targets and predictions, in the unit of the target.

    Returns
    -------
    dict of str to float
        ``mae``, ``rmse`` and ``max_error`` in the unit of the target, and ``mape``, the mean of
        ``|y_pred - y_true| / |y_true|`` over the rows with ``|y_true| > 1e-5`` (a fraction, not a
        percentage; NaN if there is no such row).

    Raises
    ------
    ValueError
        If the arrays differ in length, are empty or not 1-D, or contain a value that is not finite.

    References
    ----------
    .. [1] ``matbench.data_ops.score_array`` of matbench 0.6.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import regression_scores
    >>> regression_scores([1.0, 2.0, 4.0], [1.5, 2.0, 3.0])["mae"]
    0.5
    """
    from sklearn.metrics import max_error, mean_absolute_error, root_mean_squared_error

    y_true, y_pred = _check_pair(y_true, y_pred)
    counted = np.abs(y_true) > SMALLEST_TRUE_VALUE
    relative = np.abs((y_true[counted] - y_pred[counted]) / y_true[counted])
    return {
        "mae": float(mean_absolute_error(y_true, y_pred)),
        "rmse": float(root_mean_squared_error(y_true, y_pred)),
        "mape": float(relative.mean()) if len(relative) else float("nan"),
        "max_error": float(max_error(y_true, y_pred)),
    }


def classification_scores(y_true, y_pred):
    """Return the scores of one fold of a binary classification, as defined by MatBench.

    Parameters
    ----------
    y_true : array-like of bool of shape (n_rows,)
        The labels.
    y_pred : array-like of shape (n_rows,)
        Predicted labels (bool, or the integers 0 and 1), or probabilities of True (float).

    Returns
    -------
    dict of str to float
        ``accuracy``, ``balanced_accuracy``, ``f1`` and ``rocauc`` of the labels (a probability
        above 0.5 is True) and, for probabilities, ``rocauc_probability``, the area under their ROC
        curve.

    Raises
    ------
    ValueError
        If the arrays differ in length or contain other values, or if `y_true` has only one class:
        then neither the balanced accuracy nor the ROC curve is defined.

    Notes
    -----
    matbench 0.6 converts probabilities to labels before it computes any score, including the area
    under the ROC curve: every ``rocauc`` on its leaderboard equals the balanced accuracy. For
    comparison, ``rocauc`` is that number here, and ``rocauc_probability`` is the usual ROC-AUC.

    References
    ----------
    .. [1] ``matbench.data_ops.score_array`` of matbench 0.6.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import classification_scores
    >>> scores = classification_scores([True, True, False], [0.9, 0.4, 0.1])
    >>> scores["rocauc"], scores["rocauc_probability"]
    (0.75, 1.0)
    """
    from sklearn import metrics

    are_labels = np.asarray(y_pred).dtype.kind in "biu"
    y_true, y_pred = _check_pair(y_true, y_pred)
    _check_labels(y_true, y_pred, are_labels)
    labels, guess = y_true.astype(bool), y_pred > LABEL_THRESHOLD
    scores = {
        "accuracy": float(metrics.accuracy_score(labels, guess)),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(labels, guess)),
        "f1": float(metrics.f1_score(labels, guess, zero_division=0.0)),
        "rocauc": float(metrics.roc_auc_score(labels, guess)),
    }
    if not are_labels:
        scores["rocauc_probability"] = float(metrics.roc_auc_score(labels, y_pred))
    return scores


def summarize_folds(folds):
    """Return mean and standard deviation (``ddof=0``) of each score over the folds.

    Parameters
    ----------
    folds : sequence of dict of str to float
        The scores of each fold, with the same names.

    Returns
    -------
    dict of str to dict
        ``{score: {"mean": ..., "std": ...}}``.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import summarize_folds
    >>> summarize_folds([{"mae": 1.0}, {"mae": 3.0}])
    {'mae': {'mean': 2.0, 'std': 1.0}}
    """
    folds = list(folds)
    if not folds:
        raise ValueError("there are no folds to summarize")
    names = list(folds[0])
    if any(set(fold) != set(names) for fold in folds):
        raise ValueError("the folds do not have the same scores")
    values = {name: np.array([fold[name] for fold in folds], dtype=float) for name in names}
    return {name: {"mean": float(v.mean()), "std": float(v.std())} for name, v in values.items()}


def stability_scores(e_true, e_pred, *, threshold=0.0, subset=None):
    """Return the scores of a search for stable crystals, as defined by Matbench Discovery.

    A crystal *is* stable if its true energy above the hull is at most 0, for any `threshold`, and
    is *predicted* stable if its predicted energy is at most `threshold`. A missing prediction
    (NaN) counts as predicted unstable and is left out of the errors.

    Parameters
    ----------
    e_true : array-like of shape (n_crystals,)
        True energies above the convex hull, in eV/atom.
    e_pred : array-like of shape (n_crystals,)
        Predicted ones; NaN for a missing prediction.
    threshold : float, default=0.0
        Energy up to which a crystal is predicted stable, in eV/atom.
    subset : array-like of bool of shape (n_crystals,), default=None
        Crystals to score, such as those with a new prototype; None means all.

    Returns
    -------
    dict of str to float
        ``f1``, ``daf`` (discovery acceleration factor, precision / prevalence), ``precision``,
        ``accuracy``, ``tpr``, ``tnr`` (rates of true positives and true negatives), ``mae``,
        ``rmse`` (eV/atom), ``r2``, ``roc_auc``, and the counts ``n``, ``n_stable``,
        ``n_missing``. If no crystal is predicted stable, precision and DAF are NaN and F1 is 0;
        with fewer than two predictions, the errors are NaN.

    Raises
    ------
    ValueError
        If the arrays do not match, or the crystals are all stable or all unstable.

    References
    ----------
    .. [1] CLOUD paper, Appendix A.2.5, Tables 6 and 7.
    .. [2] J. Riebesell et al., "Matbench Discovery", arXiv:2308.14920.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import stability_scores
    >>> scores = stability_scores([-0.1, 0.2, 0.1, 0.3], [-0.2, -0.1, 0.2, float("nan")])
    >>> scores["precision"], scores["daf"], scores["tpr"], scores["n_missing"]
    (0.5, 2.0, 1.0, 1)
    """
    from sklearn.metrics import accuracy_score, roc_auc_score

    e_true, e_pred = check_energies(e_true, e_pred, subset)
    missing = np.isnan(e_pred)
    stable = e_true <= 0
    # NaN compares as False, which is unstable
    guess = e_pred <= threshold
    found = np.count_nonzero(stable & guess)
    precision = found / guess.sum() if guess.any() else float("nan")
    return {
        "f1": float(2 * found / (stable.sum() + guess.sum())),
        "daf": float(precision / stable.mean()),
        "precision": float(precision),
        "accuracy": float(accuracy_score(stable, guess)),
        "tpr": float(found / stable.sum()),
        "tnr": float(np.mean(~guess[~stable])),
        **_errors(e_true[~missing], e_pred[~missing]),
        "roc_auc": float(roc_auc_score(stable, ranking(e_pred))),
        "n": len(e_true),
        "n_stable": int(stable.sum()),
        "n_missing": int(missing.sum()),
    }


def check_energies(e_true, e_pred, subset=None):
    """Return energies as float arrays of the subset; NaN is allowed only in predictions."""
    e_true, e_pred = _check_pair(e_true, e_pred, allow_missing=True)
    if subset is not None:
        subset = np.asarray(subset)
        if subset.dtype != bool or subset.shape != e_true.shape:
            raise ValueError(
                f"subset must be a boolean array of shape {e_true.shape}, "
                f"got {subset.dtype} of shape {subset.shape}"
            )
        e_true, e_pred = e_true[subset], e_pred[subset]
    n_stable = np.count_nonzero(e_true <= 0)
    if n_stable in (0, len(e_true)):
        raise ValueError(
            f"{n_stable} of {len(e_true)} crystals are stable: the rates need at least one stable "
            "and one unstable crystal"
        )
    return e_true, e_pred


def ranking(e_pred):
    """Return sort keys by predicted stability; crystals without prediction come last."""
    missing = np.isnan(e_pred)
    last = np.max(e_pred[~missing], initial=0.0) + 1.0
    return -np.where(missing, last, e_pred)


def _errors(e_true, e_pred):
    from sklearn.metrics import r2_score

    if len(e_true) < 2:
        return dict.fromkeys(("mae", "rmse", "r2"), float("nan"))
    difference = e_pred - e_true
    return {
        "mae": float(np.abs(difference).mean()),
        "rmse": float(np.sqrt(np.mean(difference**2))),
        "r2": float(r2_score(e_true, e_pred)),
    }


def _check_pair(y_true, y_pred, allow_missing=False):
    y_true, y_pred = np.asarray(y_true, dtype=float), np.asarray(y_pred, dtype=float)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        raise ValueError(
            "true and predicted values must be 1-D, not empty and of the same length, got shapes "
            f"{y_true.shape} and {y_pred.shape}"
        )
    wrong_pred = np.isinf(y_pred) if allow_missing else ~np.isfinite(y_pred)
    for name, wrong in (("true", ~np.isfinite(y_true)), ("predicted", wrong_pred)):
        if wrong.any():
            row = np.flatnonzero(wrong)[0]
            raise ValueError(
                f"{wrong.sum()} of {len(wrong)} {name} values are not finite, the first in row "
                f"{row}"
            )
    return y_true, y_pred


def _check_labels(y_true, y_pred, are_labels):
    if not np.isin(y_true, (0, 1)).all():
        raise ValueError("true labels must be True or False")
    if are_labels and not np.isin(y_pred, (0, 1)).all():
        raise ValueError("predicted labels must be True or False")
    if y_pred.min() < 0 or y_pred.max() > 1:
        raise ValueError("predicted probabilities must be between 0 and 1")
    if y_true.min() == y_true.max():
        raise ValueError(
            f"the true labels are all {bool(y_true[0])}: with one class, balanced accuracy and "
            "ROC-AUC are undefined. Use stratified folds or more rows"
        )
