"""Graphs of asymmetric units: one node for each orbit of a crystal."""

from typing import NamedTuple

import numpy as np

from ..crystals.neighbours import cell_points, find_neighbours
from ..features.tessellation import tessellate
from ..symmetry.asymmetric_unit import find_asymmetric_unit
from .crystal_graphs import CrystalGraph, list_species, nearest_reach

CONNECTIVITIES = ("nearest", "radius", "voronoi")
_SMALLEST_FACE = 0.1  # square angstrom; smaller faces come and go with noise of the coordinates


class AsymmetricGraph(NamedTuple):
    """Graph of the orbits of a crystal.

    Attributes
    ----------
    graph : CrystalGraph
        Its sites are one of each orbit. A neighbour stands for its orbit, so that an edge may lead
        to its own center; `vectors` are those from the site to the neighbour itself.
    multiplicities : ndarray of shape (n_orbits,), float32
        Sites of each orbit in a cell.
    areas : ndarray of shape (n_edges,), float32
        Area of the Voronoi face between the two sites, in square angstrom; 0 if the edges are not
        from a tessellation.
    """

    graph: CrystalGraph
    multiplicities: np.ndarray
    areas: np.ndarray


def build_asymmetric_graph(crystal, connectivity, cutoff, max_neighbors, symprec):
    """Graph of the asymmetric unit of a crystal (Ruff et al. 2024, section 2).

    All sites of an orbit have the same surroundings. A network that sees them through distances and
    angles alone computes the same for each, so it is enough to compute one.

    Parameters
    ----------
    crystal : Crystal
    connectivity : {"nearest", "radius", "voronoi"}
        What makes a neighbour: to be one of the nearest, to be within `cutoff`, or a face between
        the Voronoi cells.
    cutoff : float
        Largest distance of neighbours in angstrom, except for "voronoi".
    max_neighbors : int
        Number of nearest neighbours for "nearest", and all at the distance of the last of them.
    symprec : float
        Distance within which sites count as equivalent, in angstrom.

    Returns
    -------
    AsymmetricGraph
    """
    unit = find_asymmetric_unit(crystal, symprec)
    if connectivity == "voronoi":
        centers, neighbors, vectors, areas = _voronoi_edges(unit)
    else:
        count = max_neighbors if connectivity == "nearest" else None
        centers, neighbors, vectors = _edges_within(unit, cutoff, count)
        areas = np.zeros(len(centers))
    graph = CrystalGraph(
        *list_species(unit.crystal, unit.sites),
        centers=unit.orbits[centers],
        neighbors=unit.orbits[neighbors],
        vectors=vectors.astype(np.float32),
    )
    multiplicities = unit.multiplicities.astype(np.float32)
    return AsymmetricGraph(graph, multiplicities, areas.astype(np.float32))


def _edges_within(unit, cutoff, max_neighbors):
    """Edges of one site of each orbit by distance."""
    points = cell_points(unit.crystal)
    centers, neighbors, _, distances, vectors = find_neighbours(
        points, unit.crystal.lattice, cutoff, unit.sites
    )
    if max_neighbors is not None:
        reach = nearest_reach(centers, distances, max_neighbors, len(points))
        kept = distances <= reach[centers]
        centers, neighbors, vectors = centers[kept], neighbors[kept], vectors[kept]
    return centers, neighbors, vectors


def _voronoi_edges(unit):
    """Edges of one site of each orbit through the faces of its Voronoi cell, and their areas."""
    points = cell_points(unit.crystal)
    faces = tessellate(unit.crystal, unit.sites)
    kept = faces.area > _SMALLEST_FACE
    centers, neighbors, images, _, areas = (column[kept] for column in faces)
    vectors = points[neighbors] + images @ unit.crystal.lattice - points[centers]
    return centers, neighbors, vectors, areas
