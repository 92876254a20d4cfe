"""Force constants at the zone centre by symmetry-reduced finite displacements."""

import numpy as np

from .force_fields import Frame

WAVENUMBER = 521.4709  # 1/cm of a frequency of 1 sqrt(eV / (angstrom^2 dalton))
_SYMPREC = 1e-4  # angstrom; the atoms are where symmetry wants them already


class Displacements:
    """Frames in which one atom at a time is displaced, and what their forces say.

    Only atoms and directions that symmetry does not relate are displaced; phonopy finds them and
    spreads their forces over the crystal.

    Parameters
    ----------
    cell : Frame
        Primitive cell.
    settings : Settings
    """

    used = ("displacement", "symprec")

    def __init__(self, cell, settings):
        from phonopy import Phonopy
        from phonopy.structure.atoms import PhonopyAtoms

        atoms = PhonopyAtoms(
            numbers=cell.numbers, scaled_positions=cell.positions, cell=cell.lattice
        )
        self._phonopy = Phonopy(
            atoms, supercell_matrix=[1, 1, 1], primitive_matrix="P", symprec=_SYMPREC
        )
        self._phonopy.generate_displacements(distance=settings.displacement)
        displaced = self._phonopy.supercells_with_displacements
        self.frames = [Frame(d.cell, d.scaled_positions, cell.numbers) for d in displaced]

    def finish(self, responses):
        """Force constants from the responses of `frames`.

        Returns
        -------
        dict
            `force_constants`: array of shape (3 n, 3 n) in eV per square angstrom, symmetric,
            without a force on the crystal that is moved as a whole; `masses`: array of shape
            (n,) in dalton.
        """
        forces = np.array([response.forces for response in responses])
        forces -= forces.mean(axis=1, keepdims=True)  # a crystal does not pull itself
        self._phonopy.forces = forces
        self._phonopy.produce_force_constants(show_drift=False)
        constants = self._phonopy.force_constants
        n = len(constants)
        flat = constants.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)
        return {
            "force_constants": without_translations((flat + flat.T) / 2).astype(np.float32),
            "masses": np.array(self._phonopy.primitive.masses),
        }


def without_translations(constants):
    """Force constants that leave the crystal alone when it is moved as a whole."""
    n = len(constants) // 3
    keep = np.eye(3 * n) - np.kron(np.full((n, n), 1 / n), np.eye(3))
    return keep @ constants @ keep


def frequencies(constants, masses):
    """Frequencies of the optical modes at the zone centre.

    Parameters
    ----------
    constants : ndarray of shape (3 n, 3 n)
        Force constants in eV per square angstrom.
    masses : ndarray of shape (n,)
        In dalton.

    Returns
    -------
    ndarray of shape (3 n - 3,)
        In 1/cm, ascending; negative where a mode is unstable (an imaginary frequency).
    """
    scale = np.repeat(masses, 3) ** -0.5
    squares = np.linalg.eigvalsh(constants * np.outer(scale, scale))
    squares = np.delete(squares, np.argsort(abs(squares))[:3])  # the crystal moved as a whole
    return np.sign(squares) * np.sqrt(abs(squares)) * WAVENUMBER
