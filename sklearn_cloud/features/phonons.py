"""Phonons by symmetry-reduced finite displacements: at the zone centre, and in the whole zone."""

import numpy as np

from .frames import Frame

WAVENUMBER = 521.4709  # 1/cm of a frequency of 1 sqrt(eV / (angstrom^2 dalton))
_TERAHERTZ = 33.35641  # in 1/cm
_SMALL = 5  # atoms of a cell that is doubled
_MESH = (8, 8, 8)
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
        self._phonopy, self.frames = _displace(cell, (1, 1, 1), settings.displacement)

    def finish(self, responses):
        """Force constants from the responses of `frames`.

        Returns
        -------
        dict
            `force_constants`: array of shape (3 n, 3 n) in eV per square angstrom, symmetric,
            without a force on the crystal that is moved as a whole; `masses`: array of shape
            (n,) in dalton.
        """
        _produce(self._phonopy, responses)
        constants = self._phonopy.force_constants
        n = len(constants)
        flat = constants.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n)
        return {
            "force_constants": without_translations((flat + flat.T) / 2).astype(np.float32),
            "masses": np.array(self._phonopy.primitive.masses),
        }


class ZoneDisplacements:
    """The same in a supercell of a small cell, for the frequencies of the whole Brillouin zone.

    Cells of up to five atoms are doubled along each vector. The zone of larger ones is so small
    that its centre says most: there are no frames.

    Parameters
    ----------
    cell : Frame
        Primitive cell.
    settings : Settings
    """

    used = ("displacement", "symprec")

    def __init__(self, cell, settings):
        self.frames = []
        if len(cell.numbers) <= _SMALL:
            self._phonopy, self.frames = _displace(cell, (2, 2, 2), settings.displacement)

    def finish(self, responses):
        """Frequencies from the responses of `frames`.

        Returns
        -------
        dict
            `frequencies`: array of shape (n_points, 3 n) in 1/cm, negative where imaginary, in
            symmetry-reduced points of a mesh; `weights`: array of shape (n_points,). Empty where
            there are no frames.
        """
        if not self.frames:
            return {"frequencies": np.zeros((0, 0)), "weights": np.zeros(0)}
        _produce(self._phonopy, responses)
        self._phonopy.symmetrize_force_constants()
        self._phonopy.run_mesh(_MESH, is_gamma_center=True)
        mesh = self._phonopy.mesh
        return {
            "frequencies": (mesh.frequencies * _TERAHERTZ).astype(np.float32),
            "weights": np.array(mesh.weights, dtype=float),
        }


def _displace(cell, multiples, distance):
    """A phonopy object, and its frames."""
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms
    from pymatgen.core import Element

    # phonopy has no masses of the elements without stable isotopes
    masses = [float(Element.from_Z(number).atomic_mass) for number in cell.numbers]
    atoms = PhonopyAtoms(
        numbers=cell.numbers, masses=masses, scaled_positions=cell.positions, cell=cell.lattice
    )
    phonopy = Phonopy(
        atoms, supercell_matrix=np.diag(multiples), primitive_matrix="P", symprec=_SYMPREC
    )
    phonopy.generate_displacements(distance=distance)
    displaced = phonopy.supercells_with_displacements
    return phonopy, [Frame(d.cell, d.scaled_positions, np.array(d.numbers)) for d in displaced]


def _produce(phonopy, responses):
    """Force constants of the phonopy object."""
    forces = np.array([response.forces for response in responses])
    phonopy.forces = forces - forces.mean(axis=1, keepdims=True)  # a crystal does not pull itself
    phonopy.produce_force_constants(show_drift=False)


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
