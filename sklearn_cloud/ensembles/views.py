"""What the members of an ensemble read: every crystal is read once for all of them."""

import numpy as np

from ..crystals.crystal import Crystal
from ..crystals.errors import CrystalError
from ..crystals.items import as_items
from ..crystals.rows import read_rows
from ..features.element_fractions import ElementFractions
from ..features.geometry_features import GeometryFeatures
from ..features.magpie import MagpieFeatures
from ..symmetry.transformer import SymmetryStringTransformer


def read_crystals(X, *, n_jobs, verbose):
    """Crystals or formulas of X, and whether they have structures.

    Returns
    -------
    crystals : list of Crystal or of Formula
    structures : bool

    Raises
    ------
    TypeError, CrystalError
        If rows are not crystals, or some have a structure and others have not.
    """
    crystals = read_rows(as_items(X), n_jobs=n_jobs, label="reading" if verbose else None)
    structures = np.array([isinstance(crystal, Crystal) for crystal in crystals])
    if structures.all() or not structures.any():
        return crystals, bool(structures.all())
    few = structures if structures.sum() <= len(structures) / 2 else ~structures
    rows = np.flatnonzero(few)
    kind = "structures" if few is structures else "compositions alone"
    raise CrystalError(
        f"{len(rows)} of {len(crystals)} rows are {kind} and the others are not (first row "
        f"{rows[0]}): pass structures in every row, or formulas in every row."
    )


def make_views(structures, physics, *, n_jobs, verbose):
    """Transformers of each view, by name.

    Parameters
    ----------
    structures : bool
        Whether the crystals have structures.
    physics : PotentialPhysics or None
        One more source of columns for the features.
    n_jobs : int or None
    verbose : int

    Returns
    -------
    dict of str to list of transformers
        "strings": strings, with the geometry next to them where there are structures. "features":
        a table of numbers, the columns of the transformers side by side.
    """
    options = {"n_jobs": n_jobs, "verbose": verbose}
    features = [MagpieFeatures(**options)]
    if structures:
        features.append(GeometryFeatures(**options, on_error="warn"))
    else:
        features.append(ElementFractions())
    if physics is not None:
        features.append(physics)
    numbers = "geometry" if structures else None
    strings = SymmetryStringTransformer(numbers=numbers, **options)
    return {"strings": [strings], "features": features}


def compute_views(views, crystals, wanted):
    """The table of each wanted view, by name."""
    tables = {}
    for name in wanted:
        parts = [transformer.fit_transform(crystals) for transformer in views[name]]
        tables[name] = parts[0] if len(parts) == 1 else np.hstack(parts)
    return tables
