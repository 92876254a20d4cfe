"""Read crystals for predictors in blocks, with an error for each row without a result."""

from functools import partial
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from tqdm.auto import tqdm

from ..crystals.crystal import Crystal, Formula
from ..crystals.errors import CrystalError
from ..crystals.items import as_items
from ..crystals.row_messages import raise_errors, warn_errors, warn_notes
from ..crystals.rows import Rows, compute_rows
from ..ensembles.views import VIEWS, compute_views
from ..symmetry.strings import compose_strings

ON_ERROR = ("raise", "warn")
BLOCK = 2000  # rows in memory at a time


class Described(NamedTuple):
    """The rows that can be predicted, and what the members read.

    Attributes
    ----------
    n_rows : int
        Number of all rows.
    rows : ndarray of shape (n_good,)
        Rows that can be predicted.
    places : ndarray of shape (n_good,)
        Index of the distinct crystal of each of them.
    crystals : list of Crystal or Formula
        The distinct ones.
    tables : dict of str to ndarray
        Views of the distinct crystals.
    errors : dict of int to Exception
        Errors of the other rows.
    """

    n_rows: int
    rows: np.ndarray
    places: np.ndarray
    crystals: list
    tables: dict
    errors: dict

    def spread(self, values):
        """Return the values of the distinct crystals for all rows; bad rows are NaN."""
        values = np.asarray(values, dtype=float)
        spread = np.full((self.n_rows, *values.shape[1:]), np.nan)
        if len(self.rows):
            spread[self.rows] = values[self.places]
        return spread


class Problems:
    """What is wrong with the rows of several blocks, for one message.

    Attributes
    ----------
    n_rows : int
        Number of rows of all blocks so far.
    errors : dict of int to Exception
        By row.
    notes : dict of int to list of str
        Notes of the reader, by row.
    """

    def __init__(self):
        self.n_rows, self.errors, self.notes = 0, {}, {}

    def add(self, rows, errors):
        """Add a block: its `Rows`, and the errors of all its rows."""
        self.errors |= {self.n_rows + row: error for row, error in errors.items()}
        self.notes |= {self.n_rows + row: texts for row, texts in rows.notes.items()}
        self.n_rows += len(rows.places)

    def report(self, on_error, stacklevel=4):
        """Raise one error, or warn once.

        Raises
        ------
        TypeError, CrystalError
            If there are errors and `on_error` is "raise".
        """
        rows = Rows([], [], range(self.n_rows), self.errors, self.notes)
        warn_notes(rows, stacklevel)
        if on_error == "raise":
            raise_errors(rows)
        warn_errors(rows, "their predictions are NaN", stacklevel)


def check_on_error(on_error):
    """Raise ValueError if `on_error` is unknown."""
    if on_error not in ON_ERROR:
        raise ValueError(f"on_error must be one of {ON_ERROR}, got {on_error!r}.")


def read_rows_of(items, *, n_jobs=None):
    """Return the `Rows` of a list, with an error for each row that is not a crystal."""
    return compute_rows(items, list, n_jobs=n_jobs, on_error="keep")


def read_blocks(X, *, n_jobs=None, verbose=0):
    """Yield the `Rows` of consecutive blocks of X, so that few crystals are in memory."""
    items = as_items(X)
    with tqdm(total=len(items), desc="predicting", disable=not verbose, unit="crystal") as bar:
        for start in range(0, len(items), BLOCK):
            rows = read_rows_of(items[start : start + BLOCK], n_jobs=n_jobs)
            yield rows
            bar.update(len(rows.places))


def describe(rows, ensemble, needs, name, *, n_jobs=None):
    """Compute the views of an ensemble for the rows that have them.

    Parameters
    ----------
    rows : Rows
        From `read_rows_of`.
    ensemble : CrystalRegressor or CrystalClassifier
    needs : {"structure", "formula"}
    name : str
        Name of the property, for messages.
    n_jobs : int or None

    Returns
    -------
    Described
    """
    found = [prepare(crystal, needs, name) for crystal in rows.results]
    crystals = [one for one in found if not isinstance(one, Exception)]
    tables, bad = _views(ensemble, crystals, n_jobs)
    kept = iter(bad)
    outcomes = [one if isinstance(one, Exception) else (next(kept) or one) for one in found]
    errors = _all_errors(rows, outcomes)
    good = [i for i, outcome in enumerate(outcomes) if not isinstance(outcome, Exception)]
    index = np.full(len(outcomes), -1)
    index[good] = np.arange(len(good))
    usable = np.flatnonzero([row not in errors for row in range(len(rows.places))])
    places = index[rows.places[usable]]
    good = [outcomes[i] for i in good]
    return Described(len(rows.places), usable, places, good, tables, errors)


def prepare(crystal, needs, name):
    """Return what the predictor of a property reads of a crystal, or the error."""
    if needs == "formula":
        return Formula(tuple(sorted(crystal.composition.items())))
    if not isinstance(crystal, Crystal):
        return CrystalError(
            f"the predictor of {name!r} needs a crystal structure, got only the composition "
            f"{dict(crystal.amounts)}: pass a Structure, Atoms or CIF file"
        )
    if any(len(species) > 1 or species[0][1] < 1 for species in crystal.species):
        return CrystalError(
            f"the crystal is disordered (partial occupancies), but the predictor of {name!r} was "
            "trained on ordered crystals: pass an ordered approximant"
        )
    return crystal


def _views(ensemble, crystals, n_jobs):
    """Return the views of the crystals that have them, and the error of each crystal or None."""
    if not crystals:
        return {}, []
    (strings,) = ensemble.views_["strings"]
    compose = partial(compose_strings, **{**strings._options(), "numbers": None})
    rows = compute_rows(crystals, compose, n_jobs=n_jobs, on_error="keep")
    bad = [rows.errors.get(row) for row in range(len(crystals))]
    good = [crystal for crystal, error in zip(crystals, bad, strict=True) if error is None]
    if not good:
        return {}, bad
    options = {"n_jobs": n_jobs, "verbose": 0}
    features = [clone(one).set_params(**options) for one in ensemble.views_["features"]]
    places = [place for place in rows.places if place >= 0]
    found = np.array(rows.results, dtype=object)[places]
    views = {"strings": [strings], "features": features}
    return compute_views(views, good, VIEWS, strings=found), bad


def _all_errors(rows, outcomes):
    """Return the errors of rows, with those of their distinct crystals."""
    errors = dict(rows.errors)
    for row, place in enumerate(rows.places):
        if place >= 0 and isinstance(outcomes[place], Exception):
            errors[row] = outcomes[place]
    return errors
