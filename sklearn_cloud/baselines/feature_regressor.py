"""Base class of the feature-based baselines: a scikit-learn regressor on features."""

from abc import abstractmethod
from contextlib import nullcontext
from numbers import Integral

from joblib import parallel_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils.validation import check_is_fitted

from .._compat import Interval
from ..crystals.items import as_items
from ..features.rounding import round_features
from ..notebook import NotebookSummary
from ..training.checks import accept_strings, check_targets, check_weights


class FeatureRegressor(NotebookSummary, RegressorMixin, BaseEstimator):
    """Base of the baselines that are a scikit-learn regressor on numbers that describe crystals.

    A subclass says `_features` (an unfitted transformer), `_head` (an unfitted regressor) and,
    in ``_takes_formulas``, whether formulas will do.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    random_state : int, RandomState instance or None
        Seed of the head.
    n_jobs : int or None
        Workers that describe crystals and grow trees; None is 1 unless in a
        `joblib.parallel_config` context.
    verbose : int
        Above 0 shows a progress bar while crystals are described.
    """

    _takes_formulas = False
    _parameter_constraints = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(self, *, n_estimators=300, random_state=None, n_jobs=None, verbose=0):
        self.n_estimators = n_estimators
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @abstractmethod
    def _features(self):
        """The transformer, unfitted."""

    @abstractmethod
    def _head(self):
        """The regressor, unfitted."""

    def fit(self, X, y, sample_weight=None):
        """Describe the crystals and fit the head.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals as `SymmetryStringTransformer` takes them: structures, CIF text or paths;
            formulas where the features look at the composition alone.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None weighs all alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ImportError
            If a package is missing; the message says how to install it.
        TypeError
            If a row of `X` is not a crystal.
        ValueError
            If a parameter, a crystal or a target cannot be used; the message names the row.
        """
        self._validate_params()
        items = as_items(X)
        y = check_targets(y, len(items), type(self).__name__)
        weights = None if sample_weight is None else check_weights(sample_weight, len(items))
        vars(self).pop("head_", None)  # should this fit fail, no earlier model is left behind
        self.features_ = self._features()
        table = round_features(self.features_.fit_transform(items))
        self.n_outputs_ = None if y.ndim == 1 else y.shape[1]
        self.n_samples_fit_ = len(items)
        head = self._head() if y.ndim == 1 else MultiOutputRegressor(self._head())
        # The trees are grown by several workers, but not asked by several: they would add up
        # the answers in the order in which they happen to finish.
        workers = nullcontext() if self.n_jobs is None else parallel_config(n_jobs=self.n_jobs)
        with workers:
            self.head_ = head.fit(table, y, sample_weight=weights)
        return self

    def predict(self, X):
        """Predict the targets of crystals.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of ``y``, one-dimensional where ``y`` was.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of `X` is not a valid crystal; the message names it.
        """
        check_is_fitted(self)
        return self.head_.predict(round_features(self.features_.transform(X)))

    def _summary(self):
        rows = getattr(self, "n_samples_fit_", None)  # models saved by earlier versions lack it
        summary = {} if rows is None else {"fitted on": f"{rows} rows"}
        number = self.n_outputs_ or 1
        return summary | {
            "predicts": f"{number} number{'s' * (number > 1)} per row",
            "expected error": "not known: use cross-validation, or CrystalRegressor",
        }

    def __sklearn_is_fitted__(self):
        return hasattr(self, "head_")

    def __sklearn_tags__(self):
        tags = accept_strings(super().__sklearn_tags__())
        tags.target_tags.multi_output = True
        return tags
