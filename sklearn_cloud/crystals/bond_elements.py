"""Properties of the elements that matter for bonds."""

import math
import warnings
from functools import cache

import numpy as np

_N_ELEMENTS = 118
#: Covalent radii of the elements from hydrogen to curium, in angstrom: B. Cordero et al., Dalton
#: Trans. 2008, 2832, doi:10.1039/b801115j, as selected by pymatgen, whose module takes seconds to
#: import.
_COVALENT_RADII = (
    "0.31 0.28 1.28 0.96 0.84 0.73 0.71 0.66 0.57 0.58 1.66 1.41 1.21 1.11 1.07 1.05 1.02 "
    "1.06 2.03 1.76 1.70 1.60 1.53 1.39 1.50 1.42 1.38 1.24 1.32 1.22 1.22 1.20 1.19 1.20 "
    "1.20 1.16 2.20 1.95 1.90 1.75 1.64 1.54 1.47 1.46 1.42 1.39 1.45 1.44 1.42 1.39 1.39 "
    "1.38 1.39 1.40 2.44 2.15 2.07 2.04 2.03 2.01 1.99 1.98 1.98 1.96 1.94 1.92 1.92 1.89 "
    "1.90 1.87 1.87 1.75 1.70 1.62 1.51 1.44 1.41 1.36 1.36 1.32 1.45 1.46 1.48 1.40 1.50 "
    "1.50 2.60 2.21 2.15 2.06 2.00 1.96 1.90 1.87 1.80 1.69 "
)


@cache
def _bond_table():
    """Return {property: ndarray of shape (119,)} by atomic number, for `bond_properties`."""
    from pymatgen.core import Element

    elements = [Element.from_Z(number) for number in range(1, _N_ELEMENTS + 1)]
    radii = [float(radius) for radius in _COVALENT_RADII.split()]
    columns = {
        "number": [e.Z for e in elements],
        "group": [e.group for e in elements],
        "period": [e.row for e in elements],
        "covalent": radii + [math.nan] * (_N_ELEMENTS - len(radii)),
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
        mean over the elements. From pymatgen, but for the covalent radii.
    """
    numbers = [_atomic_numbers()[element] for element in elements]
    return {name: values[numbers] for name, values in _bond_table().items()}


@cache
def _atomic_numbers():
    from pymatgen.core import Element

    return {Element.from_Z(number).symbol: number for number in range(1, _N_ELEMENTS + 1)}
