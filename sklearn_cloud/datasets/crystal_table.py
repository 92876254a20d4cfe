"""describe_crystals: formula and space group, one line each."""

import numpy as np


def describe_crystals(X, *, symprec=0.1, n_jobs=None):
    """Describe crystals by formula and space group, one line each.

    Parameters
    ----------
    X : array-like of shape (n_samples,)
        Crystals, paths of files or formulas.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    n_jobs : int, default=None
        Number of joblib workers that read the crystals.

    Returns
    -------
    pandas.DataFrame
        With the columns formula, space_group (symbol and number, None for a formula), sites (in
        the cell) and volume_per_atom (cubic angstrom). Indexed like X if that is a Series.

    Raises
    ------
    TypeError, CrystalError
        If a row is not a crystal; the message names the rows.

    Examples
    --------
    >>> from sklearn_cloud.datasets import describe_crystals, load_example
    >>> print(describe_crystals(load_example().structures[:2]).round(1))
      formula     space_group  sites  volume_per_atom
    0       C  F d -3 m (227)      8              5.7
    1      Si  F d -3 m (227)      8             20.0
    """
    import pandas as pd

    from ..crystals.items import as_items
    from ..crystals.rows import read_rows

    crystals = read_rows(as_items(X), n_jobs=n_jobs)
    index = X.index if isinstance(X, pd.Series) else None
    return pd.DataFrame([_describe(crystal, symprec) for crystal in crystals], index=index)


def _describe(crystal, symprec):
    from moyopy import SpaceGroupType

    from ..crystals.crystal import Crystal, write_formula
    from ..symmetry.search import find_symmetry

    found = {"formula": write_formula(crystal.composition), "space_group": None}
    if not isinstance(crystal, Crystal):
        return found | {"sites": None, "volume_per_atom": None}
    number = find_symmetry(crystal, symprec=symprec).number
    volume = abs(np.linalg.det(crystal.lattice)) / sum(crystal.composition.values())
    return found | {
        "space_group": f"{SpaceGroupType(number).hm_short} ({number})",
        "sites": len(crystal.kinds),
        "volume_per_atom": volume,
    }
