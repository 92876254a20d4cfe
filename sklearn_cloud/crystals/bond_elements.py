"""Properties of the elements that matter for bonds."""

import math
import warnings
from functools import cache

import numpy as np

_N_ELEMENTS = 118


@cache
def _bond_table():
    """Return {property: ndarray of shape (119,)} by atomic number, for `bond_properties`."""
    from pymatgen.analysis.local_env import CovalentRadius
    from pymatgen.core import Element

    elements = [Element.from_Z(number) for number in range(1, _N_ELEMENTS + 1)]
    radius = {e.symbol: CovalentRadius.radius.get(e.symbol, math.nan) for e in elements}
    columns = {
        "number": [e.Z for e in elements],
        "group": [e.group for e in elements],
        "period": [e.row for e in elements],
        "covalent": [radius[e.symbol] for e in elements],
    }
    with warnings.catch_warnings():
        # pymatgen warns about every unknown value; it is replaced by the mean.
        warnings.simplefilter("ignore")
        for name, attribute in (
            ("calculated", "atomic_radius_calculated"),
            ("electronegativity", "X"),
            ("mendeleev", "mendeleev_no"),
        ):
            values = [getattr(e, attribute) for e in elements]
            columns[name] = [math.nan if value is None else float(value) for value in values]
    table = {name: np.r_[math.nan, np.array(values, float)] for name, values in columns.items()}
    # d electrons beyond a full shell do not bind
    table["valence"] = np.where(table["group"] > 12, table["group"] - 10, table["group"])
    return {n: np.where(np.isnan(v), np.nanmean(v), v) for n, v in table.items()}


def bond_properties(elements):
    """Return properties of the elements of sites that matter for their bonds.

    Parameters
    ----------
    elements : sequence of str, length n_sites

    Returns
    -------
    dict of str to ndarray of shape (n_sites,)
        "number", "group", "period", "covalent" and "calculated" (radii in angstrom),
        "electronegativity" (Pauling), "mendeleev", "valence" (electrons); unknown values are the
        mean over the elements. From pymatgen.
    """
    numbers = [_atomic_numbers()[element] for element in elements]
    return {name: values[numbers] for name, values in _bond_table().items()}


@cache
def _atomic_numbers():
    from pymatgen.core import Element

    return {Element.from_Z(number).symbol: number for number in range(1, _N_ELEMENTS + 1)}
