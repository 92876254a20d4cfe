"""Views of the crystals for the members of an ensemble; every crystal is read once."""

import numpy as np
from sklearn.base import clone

from ..crystals.bond_statistics import IS_BOND_NUMBER
from ..crystals.crystal import Crystal
from ..crystals.errors import CrystalError
from ..crystals.items import as_items
from ..crystals.rows import read_rows
from ..exceptions import shorten
from ..features.bond_features import BondFeatures
from ..features.element_fractions import ElementFractions
from ..features.geometry_features import GeometryFeatures, numbers_of
from ..features.magpie import MagpieFeatures
from ..features.rounding import round_features
from ..symmetry.transformer import SymmetryStringTransformer

VIEWS = ("strings", "features")
#: The view of a network that reads the crystals themselves; it needs no transformer.
CRYSTALS = "crystals"


def read_crystals(X, *, n_jobs, verbose):
    """Read the crystals or formulas of X, and tell whether they have structures.

    Returns
    -------
    crystals : list of Crystal or of Formula
    structures : bool

    Raises
    ------
    TypeError, CrystalError
        If rows are not crystals, or only some of them have a structure.
    """
    crystals = read_rows(as_items(X), n_jobs=n_jobs, label="reading" if verbose else None)
    structures = np.array([isinstance(crystal, Crystal) for crystal in crystals])
    if structures.all() or not structures.any():
        return crystals, bool(structures.all())
    few = structures if structures.sum() <= len(structures) / 2 else ~structures
    rows = np.flatnonzero(few)
    kind = "structures" if few is structures else "compositions"
    raise CrystalError(
        f"{len(rows)} of {len(crystals)} rows are {kind}, but the others are not (first row "
        f"{rows[0]}): pass structures in every row, or formulas in every row."
    )


def make_views(structures, physics, *, n_jobs, verbose):
    """Return the transformers of each view, by name.

    Parameters
    ----------
    structures : bool
        Whether the crystals have structures.
    physics : PotentialPhysics or None
        Transformer for additional features.
    n_jobs : int or None
    verbose : int

    Returns
    -------
    dict of str to list of transformers
        "strings": strings, with numbers on geometry and bonds if there are structures.
        "features": a table of the concatenated features of all transformers.
    """
    options = {"n_jobs": n_jobs, "verbose": verbose}
    features = [MagpieFeatures(**options)]
    if structures:
        features.append(GeometryFeatures(**options, on_error="warn"))
        features.append(BondFeatures(**options, on_error="warn"))
    else:
        features.append(ElementFractions())
    if physics is not None:
        check_physics(physics)
        features.append(clone(physics))
    numbers = "bonds" if structures else None
    strings = SymmetryStringTransformer(numbers=numbers, **options)
    return {"strings": [strings], "features": features}


def check_physics(physics):
    """Raise TypeError unless `physics` is a transformer of crystals."""
    needed = ("fit_transform", "get_feature_names_out", "get_params")
    if isinstance(physics, type) or not all(hasattr(physics, name) for name in needed):
        raise TypeError(
            f"physics must be a PotentialPhysics, such as PotentialPhysics('chgnet'), got "
            f"{shorten(repr(physics))}."
        )


def compute_views(views, crystals, wanted, strings=None):
    """Return the table of each wanted view, by name, and the crystals themselves.

    The numbers next to the strings are taken from the features where these have them, so that a
    crystal is described once.

    Parameters
    ----------
    views : dict of str to list of transformers
        From `make_views`.
    crystals : list of Crystal or of Formula
    wanted : sequence of {"strings", "features"}
    strings : ndarray of shape (n_crystals,), default=None
        The strings without their numbers, if they are known.

    Returns
    -------
    dict of str to ndarray of shape (n_crystals, ...)
    """
    tables = {CRYSTALS: np.empty(len(crystals), dtype=object)}
    tables[CRYSTALS][:] = crystals
    numbers = None
    if "features" in wanted:
        parts = [_transform(one, crystals) for one in views["features"]]
        _check_shapes(views["features"], parts, len(crystals))
        tables["features"] = round_features(np.hstack(parts))
        numbers = _numbers_of(views["features"], parts)
    if "strings" in wanted:
        (transformer,) = views["strings"]
        joined = numbers is not None and transformer.numbers == "bonds"
        if joined:
            transformer = clone(transformer).set_params(numbers=None)
        if strings is None or transformer.numbers:
            strings = _transform(transformer, crystals)
        tables["strings"] = np.column_stack([strings, numbers]) if joined else strings
    return tables


def _transform(transformer, crystals):
    """Return an array, whatever the output that is set globally."""
    return np.asarray(transformer.fit_transform(crystals))


def _numbers_of(transformers, tables):
    """Return the numbers "bonds" of a string from tables of features, or None without these."""
    found = {type(one): table for one, table in zip(transformers, tables, strict=True)}
    if not {GeometryFeatures, BondFeatures} <= set(found):
        return None
    bonds = found[BondFeatures][:, IS_BOND_NUMBER]
    return np.hstack([numbers_of(found[GeometryFeatures]), bonds])


def _check_shapes(transformers, tables, n_rows):
    """Raise ValueError unless each transformer gave a table with a row for each crystal."""
    for transformer, table in zip(transformers, tables, strict=True):
        if np.ndim(table) != 2 or len(table) != n_rows:
            raise ValueError(
                f"{type(transformer).__name__} gave an array of shape {np.shape(table)} for "
                f"{n_rows} crystals, expected a table with a row for each."
            )
