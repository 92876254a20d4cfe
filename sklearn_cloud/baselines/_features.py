"""What the feature-based baselines share: crystals to a table of numbers, and a model on it."""

from abc import abstractmethod
from contextlib import nullcontext
from numbers import Integral

import numpy as np
from joblib import Parallel, delayed, parallel_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from ..estimators.checks import accept_strings, check_targets, check_weights
from ..symmetry.crystals import ELEMENT_RANK, Crystal, read_crystal
from ..symmetry.transformer import CrystalTransformer, as_items

_CHUNK = 32  # crystals that travel to a worker at a time


def fractions_of(crystal):
    """Atomic fractions ((element, fraction), ...), in one order for equal compositions."""
    composition = crystal.composition
    total = sum(composition.values())
    elements = sorted(composition, key=ELEMENT_RANK.get)
    return tuple((element, composition[element] / total) for element in elements)


def import_matminer(name):
    """A module of matminer, or an error that says how to install it."""
    from importlib import import_module

    try:
        return import_module(f"matminer.{name}")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"this baseline needs matminer, and {error.name} is not installed: "
            "pip install 'sklearn-cloud[baselines]'"
        ) from error


class CrystalFeatures(CrystalTransformer):
    """Base of the transformers that describe each crystal by numbers.

    A subclass says `_names` (a list of str) and `_describe` (the numbers of one crystal). Where
    it looks at a part of the crystal only, `_key` says at which, so that crystals that agree in
    it are described once; ``_takes_formulas`` says whether formulas will do.
    """

    _takes_formulas = False

    def __init__(self, *, n_jobs=None, verbose=0):
        self.n_jobs = n_jobs
        self.verbose = verbose

    @abstractmethod
    def _names(self):
        """Names of the numbers."""

    @abstractmethod
    def _describe(self, crystal):
        """Numbers of a `Crystal` (or `Formula`), one-dimensional."""

    def _key(self, crystal):
        return crystal.key

    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Only its kind is looked at.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ImportError
            If a package is missing; the message says how to install it.
        TypeError, ValueError
            If a parameter is invalid, or `X` is no collection of crystals or empty.
        """
        if self.n_jobs is not None and not isinstance(self.n_jobs, Integral):
            raise ValueError(f"n_jobs must be None or an integer, got {self.n_jobs!r}.")
        self._names()
        as_items(X)
        return self

    def transform(self, X):
        """Describe each crystal.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Whatever `SymmetryStringTransformer` takes; one-column DataFrames too.

        Returns
        -------
        ndarray of shape (n_crystals, n_features), float64
            A DataFrame after `set_output(transform="pandas")`.

        Raises
        ------
        ImportError
            If a package is missing; the message says how to install it.
        TypeError, ValueError
            If an item is no valid crystal or cannot be described; the message names its row.
        """
        names = self._names()
        positions, distinct, table_rows = {}, [], []
        for row, item in enumerate(as_items(X)):
            crystal = self._read(row, item)
            position = positions.setdefault(self._key(crystal), len(positions))
            if position == len(distinct):
                distinct.append((row, crystal))
            table_rows.append(position)
        table = self._describe_all(distinct)
        return np.array(table, dtype=float).reshape(-1, len(names))[table_rows]

    def get_feature_names_out(self, input_features=None):
        """Names of the numbers.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (n_features,), object
        """
        return np.array(self._names(), dtype=object)

    def _read(self, row, item):
        try:
            crystal = read_crystal(item)
        except (TypeError, ValueError) as error:
            raise type(error)(f"row {row}: {error}") from error
        if not self._takes_formulas and not isinstance(crystal, Crystal):
            raise ValueError(
                f"row {row}: {item!r:.80} is a composition, and {type(self).__name__} looks at "
                "the structure: pass structures, or use features of the composition alone"
            )
        return crystal

    def _describe_all(self, distinct):
        chunks = [distinct[start : start + _CHUNK] for start in range(0, len(distinct), _CHUNK)]
        parallel = Parallel(n_jobs=self.n_jobs, return_as="generator")
        described = parallel(delayed(self._describe_chunk)(chunk) for chunk in chunks)
        table = []
        name = f"{type(self).__name__}.transform"
        with tqdm(total=len(distinct), desc=name, disable=not self.verbose) as bar:
            for numbers in described:
                table += numbers
                bar.update(len(numbers))
        return table

    def _describe_chunk(self, rows):
        numbers = []
        for row, crystal in rows:
            try:
                numbers.append(self._describe(crystal))
            except ValueError as error:
                raise ValueError(f"row {row}: {error}") from error
        return numbers


class FeatureRegressor(RegressorMixin, BaseEstimator):
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
            If a row of `X` is no crystal.
        ValueError
            If a parameter, a crystal or a target cannot be used; the message names the row.
        """
        self._validate_params()
        items = as_items(X)
        y = check_targets(y, len(items), type(self).__name__)
        weights = None if sample_weight is None else check_weights(sample_weight, len(items))
        vars(self).pop("head_", None)  # should this fit fail, no earlier model is left behind
        self.features_ = self._features()
        table = self.features_.fit_transform(items)
        self.n_outputs_ = None if y.ndim == 1 else y.shape[1]
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
            If a row of `X` is no valid crystal; the message names it.
        """
        check_is_fitted(self)
        return self.head_.predict(self.features_.transform(X))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "head_")

    def __sklearn_tags__(self):
        tags = accept_strings(super().__sklearn_tags__())
        tags.target_tags.multi_output = True
        return tags
