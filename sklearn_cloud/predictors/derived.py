"""Quantities that follow from predicted properties by a formula, with propagated intervals."""

from typing import NamedTuple

import numpy as np
from scipy.constants import Boltzmann, Planck

from ..crystals.geometry import DALTON, mass

_GPA = 1e9  # pascal
_ANDERSON = "O. L. Anderson, J. Phys. Chem. Solids 24, 909 (1963)"
_ISOTROPIC = "isotropic elasticity: L. D. Landau, E. M. Lifshitz, Theory of Elasticity, section 5"


class Derived(NamedTuple):
    """A quantity that follows from others.

    Attributes
    ----------
    label : str
        Name in texts.
    unit : str
    inputs : tuple of str
        Properties in the order of the arguments of `compute`.
    compute : callable
        Takes the inputs and the `Bulk` of each crystal.
    source : str
    limits : tuple of float
        Smallest and largest value of a stable crystal.
    """

    label: str
    unit: str
    inputs: tuple
    compute: callable
    source: str
    limits: tuple = (0.0, np.inf)


class Bulk(NamedTuple):
    """Density of crystals.

    Attributes
    ----------
    density : ndarray
        In kg/m3.
    volume : ndarray
        Per atom, in m3.
    """

    density: np.ndarray
    volume: np.ndarray


def bulk_of(crystals):
    """Return the `Bulk` of a list of `Crystal`."""
    volumes = np.array([abs(np.linalg.det(crystal.lattice)) for crystal in crystals])
    masses = np.array([mass(crystal) for crystal in crystals])
    atoms = np.array([len(crystal.kinds) for crystal in crystals])
    return Bulk(1000 * masses * DALTON / volumes, 1e-30 * volumes / atoms)


def _youngs_modulus(k, g, bulk=None):
    return 9 * k * g / (3 * k + g)


def _poisson_ratio(k, g, bulk=None):
    return (3 * k - 2 * g) / (2 * (3 * k + g))


def _pugh_ratio(k, g, bulk=None):
    return k / g


def _longitudinal(k, g, bulk):
    return np.sqrt(_GPA * (k + 4 / 3 * g) / bulk.density)


def _transverse(k, g, bulk):
    return np.sqrt(_GPA * g / bulk.density)


def _mean_velocity(k, g, bulk):
    transverse, longitudinal = _transverse(k, g, bulk), _longitudinal(k, g, bulk)
    return ((2 / transverse**3 + 1 / longitudinal**3) / 3) ** (-1 / 3)


def _debye_temperature(k, g, bulk):
    wave_number = (3 / (4 * np.pi * bulk.volume)) ** (1 / 3)
    return Planck / Boltzmann * wave_number * _mean_velocity(k, g, bulk)


_MODULI = ("bulk_modulus", "shear_modulus")
DERIVED = {
    "youngs_modulus": Derived("Young's modulus", "GPa", _MODULI, _youngs_modulus, _ISOTROPIC),
    "poisson_ratio": Derived("Poisson's ratio", "", _MODULI, _poisson_ratio, _ISOTROPIC, (-1, 0.5)),
    "pugh_ratio": Derived(
        "Pugh's ratio of bulk and shear modulus", "", _MODULI, _pugh_ratio,
        "S. F. Pugh, Phil. Mag. 45, 823 (1954)",
    ),
    "longitudinal_sound_velocity": Derived(
        "longitudinal sound velocity", "m/s", _MODULI, _longitudinal, _ANDERSON
    ),
    "transverse_sound_velocity": Derived(
        "transverse sound velocity", "m/s", _MODULI, _transverse, _ANDERSON
    ),
    "debye_temperature": Derived("Debye temperature", "K", _MODULI, _debye_temperature, _ANDERSON),
}  # fmt: skip


def derive(name, inputs, bulk):
    """Return a derived quantity with its interval.

    Parameters
    ----------
    name : str
        One of `DERIVED`.
    inputs : dict of str to dict of str to ndarray
        "value", "lower" and "upper" of the properties.
    bulk : Bulk
        Densities of the crystals.

    Returns
    -------
    dict of str to ndarray
        "value", "lower" and "upper". The errors of the inputs are taken as independent: each input
        alone is set to its bounds, and the changes are added in quadrature (JCGM 100:2008, 5.1.2,
        with asymmetric intervals). They end at the limits of the quantity.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cloud.predictors.derived import derive
    >>> exact = {name: np.array([160.0]) for name in ("value", "lower", "upper")}
    >>> shear = {"value": np.array([80.0]), "lower": np.array([72.0]), "upper": np.array([88.0])}
    >>> found = derive("pugh_ratio", {"bulk_modulus": exact, "shear_modulus": shear}, None)
    >>> {key: round(float(values[0]), 2) for key, values in found.items()}
    {'value': 2.0, 'lower': 1.82, 'upper': 2.22}
    """
    quantity = DERIVED[name]
    values = [inputs[one]["value"] for one in quantity.inputs]
    center = quantity.compute(*values, bulk)
    above, below = np.zeros_like(center), np.zeros_like(center)
    for place, one in enumerate(quantity.inputs):
        ends = []
        for bound in ("lower", "upper"):
            changed = [*values[:place], inputs[one][bound], *values[place + 1 :]]
            ends.append(quantity.compute(*changed, bulk) - center)
        above += np.maximum(0, np.max(ends, axis=0)) ** 2
        below += np.minimum(0, np.min(ends, axis=0)) ** 2
    smallest, largest = quantity.limits
    return {
        "value": center,
        "lower": np.maximum(center - np.sqrt(below), smallest),
        "upper": np.minimum(center + np.sqrt(above), largest),
    }
