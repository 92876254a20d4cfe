"""What the feature-based baselines share: crystals to a table of numbers, and a model on it."""

from abc import abstractmethod
from functools import partial
from numbers import Integral

import numpy as np

from ..crystals.crystal import ELEMENT_RANK
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.rows import compute_rows, each, need_structure, warn_errors, warn_notes

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


def check_on_error(on_error):
    """Raise ValueError unless it is "raise" or "warn"."""
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error must be 'raise' or 'warn', got {on_error!r}.")


class CrystalFeatures(CrystalTransformer):
    """Base of the transformers that describe each crystal by numbers.

    A subclass says `_names` (a list of str) and `_describe` (the numbers of one crystal). Where
    it looks at a part of the crystal only, `_key` says at which, so that crystals that agree in
    it are described once; ``_takes_formulas`` says whether formulas will do.
    """

    _takes_formulas = False

    def __init__(self, *, on_error="raise", n_jobs=None, verbose=0):
        self.on_error = on_error
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
            If a parameter is invalid, or `X` is not a collection of crystals or empty.
        """
        if self.n_jobs is not None and not isinstance(self.n_jobs, Integral):
            raise ValueError(f"n_jobs must be None or an integer, got {self.n_jobs!r}.")
        check_on_error(self.on_error)
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
            NaN in the rows that `on_error="warn"` passed over. A DataFrame after
            `set_output(transform="pandas")`.

        Raises
        ------
        ImportError
            If a package is missing; the message says how to install it.
        TypeError, ValueError
            If items are not valid crystals or cannot be described; the message names their rows.
        """
        names = self._names()
        check_on_error(self.on_error)
        rows = compute_rows(
            as_items(X),
            partial(each, self._describe_checked),
            key=self._key,
            n_jobs=self.n_jobs,
            chunk=_CHUNK,
            label=f"{type(self).__name__}.transform" if self.verbose else None,
            on_error="raise" if self.on_error == "raise" else "keep",
        )
        warn_notes(rows)
        warn_errors(rows, "their numbers are NaN")
        table = np.full((len(rows.places), len(names)), np.nan)
        good = rows.places >= 0
        table[good] = np.array(rows.results, dtype=float).reshape(-1, len(names))[rows.places[good]]
        return table

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

    def _describe_checked(self, crystal):
        if not self._takes_formulas:
            need_structure(
                crystal, type(self).__name__, ", or use features of the composition alone"
            )
        return self._describe(crystal)
