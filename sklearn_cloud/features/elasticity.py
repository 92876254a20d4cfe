"""Elastic constants from stresses and forces in strained cells.

Strains and stresses are vectors of six numbers in Mandel's form, xx, yy, zz, and the square root
of two times yz, xz, xy: lengths and eigenvalues are those of the tensors.
"""

from functools import cache

import numpy as np

from ..crystals.cells import search_spglib

_SYMPREC = 1e-4  # angstrom; the atoms are where symmetry wants them already
_ROOT = np.sqrt([1, 1, 1, 2, 2, 2])
_FIRST, _SECOND = [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]
_EVEN = np.array([1, 1, 1, 0, 0, 0]) / np.sqrt(3)  # the same strain along every direction
_INFORMATIVE = 0.05  # least eigenvalue of the strains' second moments; 1/6 where all are equal
GPA = 160.21766208  # of an electronvolt per cubic angstrom
_STIFFEST, _SOFTEST = 1e4, 1.0  # GPa; what lies beyond is a failure of the potential
_SOFTEST_SPRING = 0.5  # eV per square angstrom


class Strains:
    """Strained cells, and what their stresses and forces say.

    Strains are chosen so that they and their images under the crystal's symmetry span all six
    dimensions: one strain where the crystal is cubic, six where it is triclinic. Each is applied
    forwards and backwards, while the atoms keep their fractional coordinates.

    Parameters
    ----------
    cell : Frame
        Primitive cell.
    settings : Settings
    """

    used = ("strain", "symprec")

    def __init__(self, cell, settings):
        self._cell = cell
        self._norm = settings.strain
        self._operations = site_operations(cell)
        rotations = np.array([mandel_rotation(rotation) for rotation, _ in self._operations])
        self._strains = choose_strains(rotations)
        self._rotations = rotations
        self.frames = [
            cell._replace(lattice=cell.lattice @ (np.eye(3) + sign * self._norm * tensor(strain)))
            for strain in self._strains
            for sign in (1, -1)
        ]

    def finish(self, responses):
        """Derivatives from the responses of `frames`.

        Returns
        -------
        dict
            `stiffness`: array of shape (6, 6), derivative of the stress by the strain in GPa, the
            atoms at fixed fractional coordinates; `forces`: array of shape (3 n, 6), derivative
            of the forces by the strain, in eV per angstrom; `volume`: of the cell, in cubic
            angstrom.
        """
        pairs = list(zip(responses[::2], responses[1::2], strict=True))
        stresses = [mandel(ahead.stress - back.stress) / (2 * self._norm) for ahead, back in pairs]
        forces = [(ahead.forces - back.forces) / (2 * self._norm) for ahead, back in pairs]
        images = np.vstack([self._rotations @ strain for strain in self._strains])
        answers = np.vstack([self._rotations @ stress for stress in stresses])
        stiffness = np.linalg.lstsq(images, answers, rcond=None)[0] * GPA
        moved = np.vstack([self._images_of(one - one.mean(axis=0)) for one in forces])
        return {
            "stiffness": (stiffness + stiffness.T) / 2,
            "forces": np.linalg.lstsq(images, moved, rcond=None)[0].T,
            "volume": np.array(abs(np.linalg.det(self._cell.lattice))),
        }

    def _images_of(self, forces):
        images = np.empty((len(self._operations), *forces.shape))
        for image, (rotation, destinations) in zip(images, self._operations, strict=True):
            image[destinations] = forces @ rotation.T
        return images.reshape(len(images), -1)


def relax_stiffness(stiffness, forces, volume, constants):
    """Elastic constants where the atoms follow the strain to their places of least energy.

    Parameters
    ----------
    stiffness, forces, volume
        As `Strains.finish` returns them.
    constants : ndarray of shape (3 n, 3 n)
        Force constants in eV per square angstrom. Springs softer than 0.5 count as 0.5: a
        crystal that is about to change its structure would have any constants.

    Returns
    -------
    ndarray of shape (6, 6)
        In GPa.
    """
    springs, modes = np.linalg.eigh(constants)
    moved = np.argsort(abs(springs))[3:]  # not those that move the crystal as a whole
    pulls = modes[:, moved].T @ forces
    followed = pulls.T @ (pulls / np.maximum(springs[moved], _SOFTEST_SPRING)[:, None])
    return stiffness - followed / volume * GPA


def moduli(stiffness):
    """Bulk and shear modulus of a polycrystal.

    Parameters
    ----------
    stiffness : ndarray of shape (6, 6)
        In GPa. Eigenvalues are brought into the range from 1 to 10,000.

    Returns
    -------
    bulk, shear : ndarray of shape (2,)
        Averages of Voigt and of Reuss, in GPa.
    """
    values, vectors = np.linalg.eigh(stiffness)
    values = np.clip(values, _SOFTEST, _STIFFEST)
    stiffness = (vectors * values) @ vectors.T
    compliance = (vectors / values) @ vectors.T
    even = _EVEN @ stiffness @ _EVEN, _EVEN @ compliance @ _EVEN
    bulk = np.array([even[0] / 3, 1 / (3 * even[1])])
    shear = np.array([(np.trace(stiffness) - even[0]) / 10, 2.5 / (np.trace(compliance) - even[1])])
    return bulk, shear


def mandel(matrix):
    """Six numbers of a symmetric matrix."""
    return matrix[_FIRST, _SECOND] * _ROOT


def tensor(vector):
    """Symmetric matrix of six numbers."""
    matrix = np.empty((3, 3))
    matrix[_FIRST, _SECOND] = matrix[_SECOND, _FIRST] = vector / _ROOT
    return matrix


def mandel_rotation(rotation):
    """Matrix that rotates vectors of six numbers."""
    return np.stack([mandel(rotation @ tensor(unit) @ rotation.T) for unit in np.eye(6)], axis=1)


def choose_strains(rotations):
    """As few strains of length 1 as, with their images under these rotations, span everything.

    Parameters
    ----------
    rotations : ndarray of shape (n_operations, 6, 6)

    Returns
    -------
    ndarray of shape (n_strains, 6)
    """
    candidates = _candidates()
    images = np.einsum("oij,cj->coi", rotations, candidates)
    moments = np.einsum("coi,coj->cij", images, images) / len(rotations)
    chosen, total = [], np.zeros((6, 6))
    while np.linalg.eigvalsh(total)[0] < _INFORMATIVE:
        scores = np.linalg.slogdet(total + moments + 1e-3 * np.eye(6))[1]
        chosen.append(int(np.argmax(scores)))
        total = total + moments[chosen[-1]]
    return candidates[chosen]


@cache
def _candidates():
    candidates = np.random.default_rng(0).normal(size=(200, 6))
    return candidates / np.linalg.norm(candidates, axis=1, keepdims=True)


def site_operations(cell):
    """Symmetry operations of a cell.

    Returns
    -------
    list of (ndarray of shape (3, 3), ndarray of shape (n,))
        Rotation of Cartesian vectors, and which site each site is carried to.
    """
    import spglib

    found = search_spglib(spglib.get_symmetry, tuple(cell), _SYMPREC)
    if found is None:
        return [(np.eye(3), np.arange(len(cell.numbers)))]
    axes, inverse = cell.lattice.T, np.linalg.inv(cell.lattice.T)
    return [
        (axes @ rotation @ inverse, _destinations(cell, rotation, shift))
        for rotation, shift in zip(found["rotations"], found["translations"], strict=True)
    ]


def _destinations(cell, rotation, shift):
    offsets = (cell.positions @ rotation.T + shift)[:, None] - cell.positions
    distances = np.linalg.norm((offsets - np.rint(offsets)) @ cell.lattice, axis=2)
    distances[cell.numbers[:, None] != cell.numbers] = np.inf
    return distances.argmin(axis=1)
