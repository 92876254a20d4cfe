"""Bonds between the atoms of a crystal, including periodic images."""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from ..crystals.cells import primitive_cell
from ..crystals.crystal import ELEMENT_RANK, Formula
from ..crystals.neighbours import find_neighbours

_CUTOFF = 10.0  # angstrom; beyond it two atoms are never bonded
_SMALLEST_WEIGHT = 0.2  # of a bond, in Hoppe's sum
_CONVERGED = 1e-4  # angstrom, of the weighted mean distance
_BELOW_ZERO = 1e-3  # fractional coordinates from minus this on lie in the cell
_OFF_FRACTIONS = 0.14  # hundredths; so that 1/8 and the like are not halfway between two
_SAME_METRIC = 1e-3  # relative difference of squared lengths that counts as none


class BondGraph(NamedTuple):
    """Atoms of a primitive cell and the bonds between them and their translated copies.

    Attributes
    ----------
    elements : tuple of str, length n_atoms
        Sorted by electronegativity, as the elements of a symmetry string.
    bonds : ndarray of shape (n_bonds, 5), int
        From atom i of the cell to atom j of the cell that the last three numbers name; every bond
        once, i <= j.
    """

    elements: tuple
    bonds: np.ndarray


def bond_graph(crystal, symprec=0.1):
    """Atoms and bonds of a crystal.

    Two atoms are bonded where either counts the other among its neighbours by Hoppe's effective
    coordination number [1]_: the weight ``exp(1 - (d / m)**6)`` of a neighbour at distance d is
    above 0.2, m being the mean distance to all neighbours within 10 angstrom, weighted in the same
    way. It is the rule that the authors of SLICES chose [2]_.

    Parameters
    ----------
    crystal : Crystal
    symprec : float, default=0.1
        Tolerance of the search for the primitive cell, in angstrom.

    Returns
    -------
    BondGraph
        Of the Niggli-reduced primitive cell.

    Raises
    ------
    ValueError
        If there is no structure, a site is disordered, no primitive cell is found, or a bond
        leads beyond the cells next to the first, which a SLICES string cannot say.

    References
    ----------
    .. [1] Hoppe, Z. Kristallogr. 150, 23 (1979).
    .. [2] Xiao et al., Nature Communications 14, 7027 (2023).
    """
    _check_ordered(crystal)
    lattice, positions, kinds = primitive_cell(crystal, symprec)
    symbols = [species[0][0] for species in crystal.species]
    ranks = [ELEMENT_RANK[symbols[kind]] for kind in kinds]
    lattice, positions, order = _canonical_cell(lattice, positions, np.array(ranks))
    bonds = _find_bonds(lattice, positions[order])
    if np.abs(bonds[:, 2:]).max(initial=0) > 1:
        raise ValueError(
            "a bond reaches beyond the neighbouring cells, which SLICES does not support"
        )
    return BondGraph(tuple(symbols[kinds[i]] for i in order), bonds)


def _check_ordered(crystal):
    if isinstance(crystal, Formula):
        raise ValueError("a composition has no bonds: pass a structure")
    for species in crystal.species:
        if len(species) > 1 or species[0][1] < 0.999:
            held = ", ".join(f"{element} {amount:.3g}" for element, amount in species)
            raise ValueError(
                f"a site is disordered ({held}), but bonds need an ordered structure: use "
                f"pymatgen's OrderDisorderedStructureTransformation"
            )


def _canonical_cell(lattice, positions, ranks):
    """Cell vectors, positions and the order of the atoms, whatever cell and origin came in.

    The Niggli-reduced vectors can be chosen in as many ways as the lattice has rotations, and any
    atom of the first element can be the origin. Of all choices, the one that gives the smallest
    list of coordinates.
    """
    firsts = np.flatnonzero(ranks == ranks.min())
    best = None
    for change in _equivalent_bases(lattice):
        fractions = positions @ np.linalg.inv(change)
        for first in firsts:
            # rounding noise must not send an atom from one face of the cell to the other
            shifted = np.mod(fractions - fractions[first] + _BELOW_ZERO, 1.0) - _BELOW_ZERO
            coarse = (100 * shifted + _OFF_FRACTIONS).round().astype(int)
            order = np.lexsort((*coarse.T[::-1], ranks))
            key = coarse[order].ravel().tolist()
            if best is None or key < best[0]:
                best = key, change @ lattice, shifted, order
    return best[1:]


@cache
def _unimodular_matrices():
    """All matrices of -1, 0 and 1 with determinant 1; those between reduced bases are of these."""
    matrices = np.array(list(product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    return matrices[np.linalg.det(matrices).round() == 1]


def _equivalent_bases(lattice):
    """Matrices that turn the cell vectors into others of the same lengths and angles."""
    matrices = _unimodular_matrices()
    metric = lattice @ lattice.T
    changed = matrices @ metric @ matrices.transpose(0, 2, 1)
    differences = np.abs(changed - metric).max(axis=(1, 2))
    return matrices[differences < _SAME_METRIC * metric.max()]


def _find_bonds(lattice, positions):
    """Sorted bonds, each as (i, j, three translations) with i <= j."""
    points = positions @ lattice
    centers, neighbors, images, distances, _ = find_neighbours(points, lattice, _CUTOFF)
    bonds = set()
    for atom in range(len(points)):
        near = np.flatnonzero(centers == atom)
        if len(near) == 0:
            continue
        for i in near[_bond_weights(distances[near]) > _SMALLEST_WEIGHT]:
            bond = (atom, int(neighbors[i]), *(int(x) for x in images[i]))
            bonds.add(min(bond, _reversed(bond), key=_direction))
    return np.array(sorted(bonds, key=_direction), dtype=np.int16).reshape(-1, 5)


def _reversed(bond):
    i, j, *translation = bond
    return (j, i, *(-x for x in translation))


def _direction(bond):
    """Sort key: the atom that comes first in front, of a translation and its inverse the + one."""
    i, j, *translation = bond
    return (i, j, *(-x for x in translation))


def _bond_weights(distances):
    """Hoppe's weights of the neighbours at these distances (angstrom) from one atom."""
    mean, last = distances.min(), np.inf
    while abs(mean - last) > _CONVERGED:
        weights = np.exp(1 - (distances / mean) ** 6)
        mean, last = (weights @ distances) / weights.sum(), mean
    return np.exp(1 - (distances / mean) ** 6)
