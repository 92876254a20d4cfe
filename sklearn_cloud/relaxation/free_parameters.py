"""What symmetry leaves free in a crystal: strains of its cell and displacements of its sites."""

import itertools

import numpy as np
import spglib

from ..crystals.cells import search_spglib
from ..crystals.crystal import Crystal
from ..crystals.errors import CrystalError

_SMALL = 1e-3  # part of a direction that is left when it depends on the earlier ones


class FreeParameters:
    """The strains and displacements of a crystal that keep its space group.

    Every operation of the space group maps a strain or a pattern of displacements to another; the
    mean over all operations is invariant. The means of strains along the axes, and of
    displacements of one site along the axes, span what is free: as many strains as the crystal
    system has free cell lengths and angles, as many patterns as the Wyckoff positions have free
    coordinates. Shifts of the whole crystal are left out.

    Parameters
    ----------
    crystal : Crystal
        Ordered.
    symprec : float
        Distance within which sites count as equivalent, in angstrom.

    Attributes
    ----------
    strains : ndarray of shape (n_strains, 3, 3)
        Symmetric, the largest component 1.
    displacements : ndarray of shape (n_patterns, n_sites, 3)
        Cartesian, the longest of a site 1.

    Raises
    ------
    CrystalError
        If the symmetry search fails.
    """

    def __init__(self, crystal, symprec):
        self.crystal = crystal
        # in the primitive cell: a larger one may hide operations
        cell, copies = _primitive_cell(crystal, symprec)
        found = _search(spglib.get_symmetry, cell, symprec)
        # of Cartesian columns; those of spglib are of fractional columns
        to_cartesian = cell[0].T
        turns = to_cartesian @ found["rotations"] @ np.linalg.inv(to_cartesian)
        images = _images(cell, found["rotations"], found["translations"])
        self.strains = _free_strains(turns)
        self.displacements = _free_displacements(turns, images)[:, copies]

    def apply(self, values):
        """The crystal after a strain and a displacement.

        Parameters
        ----------
        values : array-like of shape (n_parameters,)
            How much of each strain, then of each pattern of displacements (angstrom).

        Returns
        -------
        Crystal
        """
        values = np.asarray(values, dtype=float)
        strain = np.tensordot(values[: len(self.strains)], self.strains, axes=1)
        moves = np.tensordot(values[len(self.strains) :], self.displacements, axes=1)
        lattice = self.crystal.lattice
        positions = self.crystal.positions + moves @ np.linalg.inv(lattice)
        return Crystal(
            lattice @ (np.eye(3) + strain), positions, self.crystal.kinds, self.crystal.species
        )


def _primitive_cell(crystal, symprec):
    """Lattice, positions and kinds of the primitive cell, and its site for each of the crystal."""
    found = _search(
        spglib.get_symmetry_dataset, (crystal.lattice, crystal.positions, crystal.kinds), symprec
    )
    lattice = np.array(found.primitive_lattice)
    _, firsts, copies = np.unique(
        found.mapping_to_primitive, return_index=True, return_inverse=True
    )
    positions = crystal.positions[firsts] @ crystal.lattice @ np.linalg.inv(lattice)
    return (lattice, positions, crystal.kinds[firsts]), copies


def _search(function, cell, symprec):
    found = search_spglib(function, cell, symprec)
    if found is None:
        raise CrystalError(f"no symmetry was found with symprec={symprec}: change it")
    return found


def _images(cell, rotations, translations):
    """Site on which each operation puts each site, of shape (n_operations, n_sites)."""
    lattice, positions, kinds = cell
    images = np.empty((len(rotations), len(kinds)), dtype=int)
    others = kinds[:, None] != kinds
    for i, (rotation, translation) in enumerate(zip(rotations, translations, strict=True)):
        gaps = (positions @ rotation.T + translation)[:, None] - positions
        gaps -= np.round(gaps)
        lengths = np.linalg.norm(gaps @ lattice, axis=2)
        images[i] = np.where(others, np.inf, lengths).argmin(axis=1)
    return images


def _free_strains(turns):
    strains = []
    for i, j in itertools.combinations_with_replacement(range(3), 2):
        strain = np.zeros((3, 3))
        strain[i, j] = strain[j, i] = 1.0
        strains.append((turns @ strain @ turns.transpose(0, 2, 1)).mean(axis=0))
    free = _independent(np.reshape(strains, (6, 9)))
    return free.reshape(-1, 3, 3) / np.abs(free).max(axis=1, initial=0)[:, None, None]


def _free_displacements(turns, images):
    n_sites = images.shape[1]
    shifts = np.tile(np.eye(3), n_sites)  # of all sites alike: they change nothing
    firsts = np.unique(images.min(axis=0))  # one site of each orbit
    patterns = []
    for site, axis in itertools.product(firsts, range(3)):
        pattern = np.zeros((n_sites, 3))
        # every operation puts the displaced site on its image
        np.add.at(pattern, images[:, site], turns[:, :, axis])
        patterns.append(pattern.ravel() / len(turns) * n_sites)
    free = _independent(np.array(patterns), shifts).reshape(-1, n_sites, 3)
    return free / np.linalg.norm(free, axis=2).max(axis=1, initial=0)[:, None, None]


def _independent(vectors, known=()):
    """Orthonormal vectors that span the given ones, without what is known (Gram-Schmidt)."""
    span = [vector / np.linalg.norm(vector) for vector in known]
    n_known = len(span)
    for vector in vectors:
        length = np.linalg.norm(vector)
        for _ in range(2):  # twice, against rounding
            for one in span:
                vector = vector - (vector @ one) * one
        if np.linalg.norm(vector) > _SMALL * max(length, 1.0):
            span.append(vector / np.linalg.norm(vector))
    return np.reshape(span[n_known:], (-1, np.shape(vectors)[1]))
