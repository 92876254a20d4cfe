"""CrystalRegressor: predict numbers with intervals for crystals, without tuning."""

import numpy as np
from sklearn.base import RegressorMixin

from ..training.checks import check_magnitude, check_targets
from .coverage import check_coverage
from .crystal_estimator import CrystalEstimator
from .intervals import Difficulty, cv_plus
from .member_weights import absolute_error_weights
from .members import REGRESSION_MEMBERS, regression_members
from .physics_ratios import PhysicsRatios, find_references


class CrystalRegressor(RegressorMixin, CrystalEstimator):
    """Predict numbers with intervals for crystals with an ensemble of models, without tuning.

    The errors of different models partly cancel in their mean. The members are extra-trees,
    gradient boosting and support vectors on statistics of the composition and on the geometry,
    CLOUD's encoder on symmetry strings and geometry, and a network on graphs. Each is fitted on
    folds of the training rows; the out-of-fold predictions give the weights of the members, the
    expected error, and the intervals. Each member is then fitted once more on all rows; a
    prediction is the weighted mean.

    Parameters
    ----------
    effort : {"fast", "default", "best"}, default="default"
        `"fast"` has no networks and takes seconds to minutes. `"default"` adds the encoder "mini"
        and, for structures, a network on graphs (`GraphRegressor`); `"best"` also the encoder
        "small", and trains the network on graphs for twice as many epochs.
    members : sequence of str, default=None
        Names of the members, see the user guide; None leaves the choice to `effort`.
    cv : int, cross-validation splitter or iterable of (train, test), default=None
        Folds of the training rows. None means five shuffled folds or, above 3,000 rows, a single
        split that leaves out a fifth of them, at most 5,000. An integer means that many shuffled
        folds. A splitter or a list may leave out only some of the rows, each of them once. An
        iterator is used up by the first fit.
    refit : bool, default=True
        Whether to predict with one model per member that is fitted on all rows. It takes one more
        fit of each member with a weight. Otherwise a prediction is the mean over the models of the
        folds; the fitted estimator is larger and predicts more slowly.
    physics : PotentialPhysics, default=None
        Unfitted transformer; adds features computed with a pre-trained potential and, for positive
        targets and if a computed number ranks the rows like the target, members that learn the
        ratio to it. None leaves them out.
    device : str, default=None
        Device of the networks; None uses CUDA if available, else the CPU.
    n_jobs : int, default=None
        Number of workers for reading crystals, features and trees; None means 1 unless in a
        `joblib.parallel_config` context.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and the members.
    verbose : int, default=0
        If not 0, show progress bars.

    Attributes
    ----------
    members_ : dict of str to list of estimators
        The fitted models: with `refit` one of each member with a weight, otherwise of every
        member one for each fold.
    weights_ : dict of str to float
        Weight of each member; non-negative, with sum 1.
    member_errors_ : dict of str to float
        Mean absolute error of the out-of-fold predictions of each member.
    expected_error_ : float
        Mean absolute error of the weighted mean on rows used neither for the models nor for the
        weights: an estimate for similar new crystals.
    oof_predictions_ : ndarray of shape (n_samples,)
        Out-of-fold predictions of the weighted mean; NaN for rows of weight 0 and for those that no
        fold leaves out.
    seconds_ : dict of str to float
        Time to fit each member.
    reads_structures_ : bool
        Whether it was fitted on structures; otherwise on compositions.

    See Also
    --------
    CrystalClassifier : Predict classes.
    CloudRegressor : Predict with a single fine-tuned encoder.
    GraphRegressor : Predict with the graph network alone.

    Notes
    -----
    The weights are the solution of a linear programme that minimises the absolute error. For
    `expected_error_`, the weights of each fold come from the other folds. For intervals, each
    out-of-fold error is divided by the difficulty of its crystal, an estimate of the size of its
    error; an interval is the prediction plus and minus a quantile of these ratios, times the
    difficulty of the new crystal. Without `refit`, intervals follow CV+ [1]_, with the predictions
    of the models of the folds.

    References
    ----------
    .. [1] R. F. Barber, E. J. Candes, A. Ramdas, R. J. Tibshirani, "Predictive inference with the
       jackknife+", Annals of Statistics 49, 486 (2021).

    Examples
    --------
    >>> from sklearn_cloud import CrystalRegressor
    >>> from sklearn_cloud.datasets import load_example
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> crystals, band_gaps = crystals[::5], band_gaps[::5]
    >>> model = CrystalRegressor("fast", cv=3, random_state=0).fit(crystals, band_gaps)
    >>> model.predict(crystals[:2]).shape
    (2,)
    >>> lower, upper = model.predict_interval(crystals[:2], coverage=0.8).T
    >>> bool((lower < upper).all())
    True
    """

    def _check_y(self, y, n_rows):
        y = check_targets(y, n_rows, type(self).__name__)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1:
            raise ValueError(
                f"{type(self).__name__} predicts a single target, but y has {y.shape[1]} columns: "
                "wrap it in sklearn.multioutput.MultiOutputRegressor."
            )
        check_magnitude(y)
        return y

    _stratify = False
    _member_names = REGRESSION_MEMBERS

    def _make_members(self, *arguments, **options):
        n_physics = 0 if self.physics is None else len(self.physics.get_feature_names_out())
        return regression_members(*arguments, n_physics=n_physics, **options)

    def _worth_fitting(self, members, features, y):
        """Leave out the members with ratios if no computed number is like the target."""
        ratios = [member for member in members if isinstance(member.estimator, PhysicsRatios)]
        if not ratios or find_references(features, y, ratios[0].estimator.n_columns):
            return members
        return [member for member in members if member not in ratios]

    def _expectation(self):
        error = f"{self.expected_error_:.3g} (mean absolute error on rows left out)"
        return {"fitted on": f"{len(self.oof_predictions_)} rows", "expected error": error}

    def _predict_with(self, model, table):
        return model.predict(table)

    def _fit_weights(self, left_out):
        y, weights, predictions = left_out.y, left_out.sample_weight, left_out.predictions.T
        self.weights_ = left_out.by_name(absolute_error_weights(predictions, y, weights))
        errors = np.abs(predictions - y[:, None])
        self.member_errors_ = left_out.by_name(np.average(errors, axis=0, weights=weights))
        honest = np.empty(len(y))
        for train, test in left_out.folds:
            chosen = absolute_error_weights(predictions[train], y[train], weights[train])
            honest[test] = predictions[test] @ chosen
        residuals = np.abs(honest - y)
        self.expected_error_ = float(np.average(residuals, weights=weights))
        self.oof_predictions_ = np.full(left_out.n_rows, np.nan)
        self.oof_predictions_[left_out.rows] = honest
        self.fold_of_score_ = left_out.fold_of_row
        of_member = dict(zip(left_out.names, left_out.predictions, strict=True))
        features = self._difficulty_features(left_out.features, of_member)
        self.difficulty_ = Difficulty(left_out.random_state)
        self.scores_ = residuals / self.difficulty_.fit_predict(features, residuals, left_out.folds)

    def _difficulty_features(self, features, predictions):
        """Return features of the crystals, the prediction and the spread of the members.

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
        predictions : dict of str to ndarray of shape (n_rows,)
            Predictions of each member.
        """
        used = {name: p for name, p in predictions.items() if self.weights_[name] > 0}
        mean = sum(self.weights_[name] * p for name, p in used.items())
        spread = np.std(list(used.values()), axis=0)
        return np.column_stack([features, mean, spread])

    def predict(self, X, return_std=False):
        """Predict the target of crystals.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.
        return_std : bool, default=False
            Whether to return an uncertainty as well.

        Returns
        -------
        predictions : ndarray of shape (n_samples,)
            In the units of ``y``.
        std : ndarray of shape (n_samples,)
            Only with `return_std`: half the width of the interval that covers 68.3 % of new
            crystals, in the units of ``y``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of ``X`` is not a crystal, or not of the kind seen in `fit`.
        """
        tables = self._tables(X)
        if not return_std:
            return self._predict_tables(tables)
        predictions, lower, upper = self._predict_bounds(tables, 0.683)
        return predictions, (upper - lower) / 2

    def predict_interval(self, X, coverage=0.9):
        """Predict intervals that contain the true value with a given probability.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.
        coverage : float, default=0.9
            Share of new crystals, from the distribution of the training crystals, whose interval
            contains the true value.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Lower and upper bounds, in the units of ``y``. If these cannot be negative, for
            example, cut the bounds with ``np.maximum(interval, 0)``: the coverage stays the same.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        ValueError
            If `coverage` is not between 0 and 1, or there are too few training rows for it.
        """
        check_coverage(coverage)
        return np.column_stack(self._predict_bounds(self._tables(X), coverage)[1:])

    def predict_all(self, X, coverage=0.9):
        """Predict values, intervals and applicability, and read the crystals once.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.
        coverage : float, default=0.9
            As for `predict_interval`.

        Returns
        -------
        dict of str to ndarray of shape (n_samples,)
            "predicted", "lower" and "upper" in the units of ``y``; "applicability" as by
            `applicability`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As `predict_interval`.
        """
        check_coverage(coverage)
        tables = self._tables(X)
        predicted, lower, upper = self._predict_bounds(tables, coverage)
        applicability = self._applicability(tables)
        return {
            "predicted": predicted,
            "lower": lower,
            "upper": upper,
            "applicability": applicability,
        }

    def _predict_bounds(self, tables, coverage):
        """Return predictions and their lower and upper bounds for the views of crystals."""
        of_member = self._member_predictions(tables)
        centers = self._weighted(of_member)
        means = {name: p.mean(axis=0) for name, p in of_member.items()}
        difficulty = self.difficulty_.predict(self._difficulty_features(tables["features"], means))
        bounds = cv_plus(centers.T, difficulty, self.scores_, self.fold_of_score_, coverage)
        return centers.mean(axis=0), *bounds.T
