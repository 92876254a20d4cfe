"""Cross-fitting of members, with out-of-fold predictions of the training rows."""

import time
import warnings

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline


class CrossFit:
    """A member fitted once for each fold.

    Attributes
    ----------
    name, view : str
        Name and view of the member.
    models : list of estimators
        One for each fold, fitted on the rows outside it.
    predictions : ndarray of shape (n_rows, ...)
        Out-of-fold prediction of each row; NaN for rows that no fold leaves out.
    seconds : float
        Time that fitting took.
    estimator : estimator
        Unfitted.
    """

    def __init__(self, member, models, predictions, seconds):
        self.name, self.view, self.estimator = member
        self.models, self.predictions, self.seconds = models, predictions, seconds


def cross_fit(member, table, y, sample_weight, folds, predict, bar):
    """Fit a member on every fold.

    Parameters
    ----------
    member : Member
    table : ndarray of shape (n_rows, ...)
        Its view of the crystals.
    y : ndarray of shape (n_rows,)
    sample_weight : ndarray of shape (n_rows,) or None
    folds : list of (ndarray, ndarray)
        Training and left-out rows of each fold.
    predict : callable
        Takes a fitted model and a table, returns predictions.
    bar : tqdm
        Advanced by one for each fold.

    Returns
    -------
    CrossFit or None
        None if fitting failed on a fold; a warning names the member and the reason.
    """
    models, predictions, start = [], None, time.perf_counter()
    for number, (train, test) in enumerate(folds):
        bar.set_postfix_str(f"{member.name}, fold {number + 1}")
        weights = None if sample_weight is None else sample_weight[train]
        try:
            model = _fit(member.estimator, table[train], y[train], weights)
            predicted = predict(model, table[test])
            if not np.isfinite(predicted).all():
                raise ValueError("its predictions are not finite")
        except (ValueError, TypeError, ArithmeticError, np.linalg.LinAlgError) as error:
            warnings.warn(
                f"The member {member.name!r} was left out because it failed on fold {number}: "
                f"{str(error)[:300]}",
                stacklevel=4,
            )
            bar.update(len(folds) - number)
            return None
        if predictions is None:
            predictions = np.full((len(y), *predicted.shape[1:]), np.nan)
        predictions[test] = predicted
        models.append(model)
        bar.update()
    return CrossFit(member, models, predictions, time.perf_counter() - start)


def fit_on_all(fit, table, y, sample_weight):
    """Return the member of a `CrossFit` fitted on all rows; its time is added to `seconds`."""
    start = time.perf_counter()
    model = _fit(fit.estimator, table, y, sample_weight)
    fit.seconds += time.perf_counter() - start
    return model


def _fit(estimator, table, y, weights):
    model = clone(estimator)
    if weights is None:
        return model.fit(table, y)
    # the weights are passed by their name, whatever the routing that is set globally
    with config_context(enable_metadata_routing=False):
        return model.fit(table, y, **{_weight_name(model): weights})


def _weight_name(model):
    """Return the name of the row weights in `fit`."""
    if isinstance(model, TransformedTargetRegressor):
        return _weight_name(model.regressor)
    return (
        f"{model.steps[-1][0]}__sample_weight" if isinstance(model, Pipeline) else "sample_weight"
    )
