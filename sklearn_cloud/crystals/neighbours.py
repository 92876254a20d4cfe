"""Neighbours of the sites of a crystal, under periodic boundary conditions."""

from typing import NamedTuple

import numpy as np

_FIRST_CUTOFF = 4.0  # angstrom; nearly every site has a neighbour within it
_SAME_POINT = 1e-3  # angstrom; a site is not its own neighbour


class Neighbours(NamedTuple):
    """Pairs of neighbouring sites; a pair may occur once per periodic image.

    Attributes
    ----------
    centers, neighbors : ndarray of shape (n_pairs,), int
        The two sites.
    images : ndarray of shape (n_pairs, 3), int
        Offset of the neighbour's unit cell from that of the center.
    distances : ndarray of shape (n_pairs,)
        In angstrom.
    vectors : ndarray of shape (n_pairs, 3)
        From the center to the neighbour, in angstrom.
    """

    centers: np.ndarray
    neighbors: np.ndarray
    images: np.ndarray
    distances: np.ndarray
    vectors: np.ndarray


def cell_points(crystal):
    """Return Cartesian coordinates (angstrom) of the sites, wrapped into one cell."""
    return np.ascontiguousarray(np.mod(crystal.positions, 1.0) @ crystal.lattice)


def find_neighbours(points, lattice, cutoff, centers=None):
    """Find all neighbours of sites within a distance, including images of the sites.

    Parameters
    ----------
    points : ndarray of shape (n_sites, 3)
        Cartesian coordinates, in angstrom.
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom.
    cutoff : float
        Largest distance, in angstrom.
    centers : ndarray of int, default=None
        The sites whose neighbours to find; None means all.

    Returns
    -------
    Neighbours
    """
    from pymatgen.optimization.neighbors import find_points_in_spheres

    points = np.ascontiguousarray(points)
    chosen = points if centers is None else np.ascontiguousarray(points[centers])
    first, second, images, distances = find_points_in_spheres(
        all_coords=points,
        center_coords=chosen,
        r=float(cutoff),
        pbc=np.array([1, 1, 1], dtype=np.int64),
        lattice=np.ascontiguousarray(lattice),
        tol=1e-8,
    )
    others = distances > _SAME_POINT
    first, second, images = first[others], second[others], images[others]
    vectors = points[second] + images @ lattice - chosen[first]
    if centers is not None:
        first = np.asarray(centers)[first]
    return Neighbours(first, second, images.astype(int), distances[others], vectors)


def nearest_distances(crystal):
    """Return the distance of each site to its nearest neighbour, including its own images.

    Parameters
    ----------
    crystal : Crystal

    Returns
    -------
    ndarray of shape (n_sites,), float64
        In angstrom.
    """
    points = cell_points(crystal)
    nearest = np.full(len(points), np.inf)
    cutoff = _FIRST_CUTOFF
    while np.isinf(nearest).any():  # terminates: every site has its own image along a cell vector
        lonely = np.flatnonzero(np.isinf(nearest))
        found = find_neighbours(points, crystal.lattice, cutoff, lonely)
        np.minimum.at(nearest, found.centers, found.distances)
        cutoff *= 2
    return nearest
