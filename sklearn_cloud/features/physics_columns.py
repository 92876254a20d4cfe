"""The columns of `PotentialPhysics`: from what was computed of a crystal to a few numbers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .elasticity import GPA, moduli, relax_stiffness
from .phonons import WAVENUMBER, frequencies

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
    "moduli": Columns(_MODULI, ("strains",), moduli_columns, 1),
    "relaxed_moduli": Columns(
        tuple(f"relaxed {name}" for name in _MODULI),
        ("strains", "force_constants"),
        relaxed_moduli_columns,
        1,
    ),
}
