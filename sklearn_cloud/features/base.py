"""Base class of the transformers from crystals to a table of features."""

from abc import abstractmethod
from functools import partial
from numbers import Integral

import numpy as np

from ..crystals.crystal import ELEMENT_RANK
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.rows import compute_rows, each, need_structure, warn_errors, warn_notes

_CHUNK = 32  # crystals per task of a worker


def fractions_of(crystal):
    """Return atomic fractions ((element, fraction), ...), sorted."""
    composition = crystal.composition
    total = sum(composition.values())
    elements = sorted(composition, key=ELEMENT_RANK.get)
    return tuple((element, composition[element] / total) for element in elements)


def import_matminer(name):
    """Import a module of matminer, or raise an error with the pip command."""
    from importlib import import_module

    try:
        return import_module(f"matminer.{name}")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"this baseline requires matminer, but {error.name} is not installed: "
            "pip install 'sklearn-cloud[baselines]'"
        ) from error


def check_on_error(on_error):
    """Raise ValueError unless it is "raise" or "warn"."""
    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error must be 'raise' or 'warn', got {on_error!r}.")


class CrystalFeatures(CrystalTransformer):
    """Base class of the transformers from crystals to features.

    A subclass defines `_names` (a list of str) and `_describe` (the features of one crystal). If it
    uses only a part of the crystal, `_key` returns this part, so that crystals with equal parts are
    described once; ``_takes_formulas`` tells whether it accepts formulas.
    """

    _takes_formulas = False

    def __init__(self, *, on_error="raise", n_jobs=None, verbose=0):
        self.on_error = on_error
        self.n_jobs = n_jobs
        self.verbose = verbose

    @abstractmethod
    def _names(self):
        """Return the names of the features."""

    @abstractmethod
    def _describe(self, crystal):
        """Return the features of a `Crystal` (or `Formula`), one-dimensional."""

    def _key(self, crystal):
        return crystal.key

    def fit(self, X, y=None):
        """Check the parameters.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals; only the type of the collection is checked.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ImportError
            If a package is missing; the message has the pip command.
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
        """Return the features of each crystal.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals, as for `SymmetryStringTransformer`, or a DataFrame with one column of them.

        Returns
        -------
        ndarray of shape (n_crystals, n_features), float64
            NaN in the rows skipped by `on_error="warn"`. A DataFrame after
            `set_output(transform="pandas")`.

        Raises
        ------
        ImportError
            If a package is missing; the message has the pip command.
        TypeError, ValueError
            If items are not valid crystals or have no features; the message lists their rows.
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
        """Return the names of the features.

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
            need_structure(crystal, type(self).__name__, ", or use features of the composition")
        return self._describe(crystal)
