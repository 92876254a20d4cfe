"""The columns of `PotentialPhysics`: from what was computed of a crystal to a few numbers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .elasticity import GPA, moduli, relax_stiffness
from .phonons import WAVENUMBER, frequencies

_BROADENING = 5.0  # 1/cm, of each mode in the density of states
_LEAST_PEAK = 0.05  # of the highest one; lower peaks are left out
_IMAGINARY = -10.0  # 1/cm; softer modes are imaginary, not zero to within rounding


class Columns(NamedTuple):
    """A group of columns.

    Attributes
    ----------
    names : tuple of str
    needs : tuple of str
        The calculations that they are made of.
    compute : callable
        From {calculation: {name: array}} to the numbers.
    decimals : int
        To which they are rounded: what follows is noise, in which trees would find patterns.
    """

    names: tuple
    needs: tuple
    compute: Callable
    decimals: int

    def numbers(self, results):
        """The rounded numbers of one crystal."""
        return np.round(self.compute(results), self.decimals)


def energy_columns(results):
    """Energy per atom (eV), largest force (eV/angstrom), pressure (GPa)."""
    reference = results["reference"]
    forces = np.linalg.norm(reference["forces"], axis=1)
    pressure = -np.trace(reference["stress"]) / 3 * GPA
    return np.array([reference["energy"] / len(forces), forces.max(), pressure])


def phonon_columns(results):
    """Frequencies in 1/cm and the number of imaginary ones; 0 where there are no optical modes."""
    constants = np.asarray(results["force_constants"]["force_constants"], dtype=float)
    masses = results["force_constants"]["masses"]
    modes = frequencies(constants, masses)
    modes = modes if len(modes) else np.zeros(1)
    n = len(masses)
    own = constants.reshape(n, 3, n, 3)[np.arange(n), :, np.arange(n)]
    squares = np.trace(own, axis1=1, axis2=2) / 3 / masses
    alone = np.sqrt(np.maximum(squares, 0)) * WAVENUMBER
    return np.array(
        [
            modes[-1],
            np.median(modes),
            modes.mean(),
            np.sqrt(np.mean(modes**2)),
            modes.std(),
            modes[0],
            (modes < _IMAGINARY).sum(),
            alone.max(),
            alone.mean(),
            alone.min(),
        ]
    )


def zone_columns(results):
    """Frequencies of the whole zone in 1/cm, or of its centre where the cell is large."""
    modes, weights = results["zone"]["frequencies"], results["zone"]["weights"]
    if modes.size:
        modes, weights = modes.ravel(), np.repeat(weights, modes.shape[1])
    else:
        constants = np.asarray(results["force_constants"]["force_constants"], dtype=float)
        modes = frequencies(constants, results["force_constants"]["masses"])
        modes = np.concatenate([np.zeros(3), modes])
        weights = np.ones(len(modes))
    mean, mean_square = (np.average(modes**power, weights=weights) for power in (1, 2))
    return np.array(
        [
            modes.max(),
            last_peak(modes, weights),
            mean,
            np.sqrt(mean_square),
            modes.min(),
            float(len(results["zone"]["weights"]) > 0),
        ]
    )


def last_peak(modes, weights):
    """Frequency (1/cm) of the last maximum of the density of states."""
    grid = np.arange(0.0, modes.max() + 4 * _BROADENING, 1.0)
    shape = np.exp(-(((grid[:, None] - modes) / _BROADENING) ** 2) / 2)
    density = np.concatenate([[0.0], shape @ weights, [0.0]])
    maxima = (density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])
    high = density[1:-1] > _LEAST_PEAK * density.max()
    return grid[np.flatnonzero(maxima & high)[-1]]


def moduli_columns(results):
    """Bulk modulus after Voigt and Reuss, then the shear modulus, in GPa."""
    return np.concatenate(moduli(results["strains"]["stiffness"]))


def relaxed_moduli_columns(results):
    """The same where the atoms have followed."""
    constants = np.asarray(results["force_constants"]["force_constants"], dtype=float)
    return np.concatenate(moduli(relax_stiffness(**results["strains"], constants=constants)))


_MODULI = ("bulk modulus (Voigt)", "bulk modulus (Reuss)")
_MODULI += ("shear modulus (Voigt)", "shear modulus (Reuss)")

COLUMNS = {
    "energy": Columns(("energy", "largest force", "pressure"), ("reference",), energy_columns, 3),
    "phonons": Columns(
        (
            "highest frequency",
            "median frequency",
            "mean frequency",
            "root mean square frequency",
            "deviation of frequencies",
            "lowest frequency",
            "imaginary modes",
            "highest atomic frequency",
            "mean atomic frequency",
            "lowest atomic frequency",
        ),
        ("force_constants",),
        phonon_columns,
        1,
    ),
    "zone": Columns(
        (
            "zone highest frequency",
            "zone last peak",
            "zone mean frequency",
            "zone root mean square frequency",
            "zone lowest frequency",
            "zone sampled",
        ),
        ("zone", "force_constants"),
        zone_columns,
        1,
    ),
    "moduli": Columns(_MODULI, ("strains",), moduli_columns, 1),
    "relaxed_moduli": Columns(
        tuple(f"relaxed {name}" for name in _MODULI),
        ("strains", "force_constants"),
        relaxed_moduli_columns,
        1,
    ),
}
