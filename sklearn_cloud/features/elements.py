"""Numerical features of the elements."""

import math
import warnings
from functools import cache

import numpy as np

N_ELEMENTS = 118
#: Attributes of `pymatgen.core.Element`, one column each.
PROPERTIES = (
    "X",
    "atomic_mass",
    "atomic_radius",
    "atomic_radius_calculated",
    "van_der_waals_radius",
    "mendeleev_no",
    "electron_affinity",
    "ionization_energy",
    "melting_point",
    "boiling_point",
    "molar_volume",
    "min_oxidation_state",
    "max_oxidation_state",
)
BLOCKS = "spdf"


@cache
def element_features():
    """Return standardised properties of the elements, as input of a network.

    Returns
    -------
    ndarray of shape (118, n_features), float32
        Rows by atomic number, hydrogen first. Numbers from pymatgen (electronegativity, masses,
        radii, energies of ionisation and electron affinity, temperatures, molar volume, oxidation
        states) and electrons in open and closed s, p, d, f shells, each with mean 0 and standard
        deviation 1 over the elements with a value, and 0 for missing values; then one-hot columns
        for group (18), period (7) and block (4). The array is shared and read-only.

    Examples
    --------
    >>> from sklearn_cloud.features.elements import element_features
    >>> element_features().shape
    (118, 46)
    """
    from pymatgen.core import Element

    elements = [Element.from_Z(number) for number in range(1, N_ELEMENTS + 1)]
    numbers = np.array([[*_properties(e), *_valence(e)] for e in elements])
    with np.errstate(invalid="ignore"):
        numbers = (numbers - np.nanmean(numbers, axis=0)) / np.nanstd(numbers, axis=0)
    places = [
        np.array([e.group for e in elements])[:, None] == np.arange(1, 19),
        np.array([e.row for e in elements])[:, None] == np.arange(1, 8),
        np.array([e.block for e in elements])[:, None] == np.array(list(BLOCKS)),
    ]
    features = np.hstack([np.nan_to_num(numbers), *places]).astype(np.float32)
    features.flags.writeable = False
    return features


def _properties(element):
    with warnings.catch_warnings():
        # pymatgen warns about every unknown value; it is replaced by the mean.
        warnings.simplefilter("ignore")
        values = [_property(element, name) for name in PROPERTIES]
    return [math.nan if value is None else float(value) for value in values]


def _property(element, name):
    try:
        return getattr(element, name)
    except KeyError:  # raised by pymatgen for missing values of the heaviest elements
        return None


def _valence(element):
    """Return the numbers of electrons in the outermost s, p, d and f shells."""
    shells = _property(element, "full_electronic_structure")
    if shells is None:
        return [math.nan] * len(BLOCKS)
    outermost = {kind: count for _, kind, count in shells}
    return [outermost.get(kind, 0) for kind in BLOCKS]


@cache
def atomic_numbers():
    """Return {symbol: atomic number} of the 118 elements."""
    from pymatgen.core import Element

    return {Element.from_Z(number).symbol: number for number in range(1, N_ELEMENTS + 1)}


@cache
def _bond_table():
    """Return {property: ndarray of shape (119,)} by atomic number, for `bond_properties`."""
    from pymatgen.analysis.local_env import CovalentRadius
    from pymatgen.core import Element

    elements = [Element.from_Z(number) for number in range(1, N_ELEMENTS + 1)]
    radius = {e.symbol: CovalentRadius.radius.get(e.symbol, math.nan) for e in elements}
    columns = {
        "number": [e.Z for e in elements],
        "group": [e.group for e in elements],
        "period": [e.row for e in elements],
        "covalent": [radius[e.symbol] for e in elements],
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `_properties`
        for name, attribute in (
            ("calculated", "atomic_radius_calculated"),
            ("electronegativity", "X"),
            ("mendeleev", "mendeleev_no"),
        ):
            values = [_property(e, attribute) for e in elements]
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
    numbers = [atomic_numbers()[element] for element in elements]
    return {name: values[numbers] for name, values in _bond_table().items()}
