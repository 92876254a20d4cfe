"""Crystals as graphs: neighbouring sites, their distances, and batches of graphs."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ..crystals.neighbours import cell_points, find_neighbours
from ..features.elements import atomic_numbers

_SHELL_WIDTH = 0.01  # angstrom; neighbours this close in distance belong to one shell


class CrystalGraph(NamedTuple):
    """Sites of a crystal and the pairs of them that are neighbours.

    Attributes
    ----------
    elements : ndarray of shape (n_species,), int64
        Atomic number less one of everything that sits on a site: one element where it is ordered.
    occupancies : ndarray of shape (n_species,), float32
        Share of its site that each of them takes.
    sites : ndarray of shape (n_species,), int64
        The site that each of them is on, in ascending order.
    centers, neighbors : ndarray of shape (n_edges,), int64
        The two sites of each directed edge; a pair that meets through several cells has several.
    vectors : ndarray of shape (n_edges, 3), float32
        From the center to the neighbour, in angstrom.
    """

    elements: np.ndarray
    occupancies: np.ndarray
    sites: np.ndarray
    centers: np.ndarray
    neighbors: np.ndarray
    vectors: np.ndarray

    @property
    def n_sites(self):
        return int(self.sites[-1]) + 1

    @property
    def size(self):
        """Rows that the network computes for this graph."""
        return self.n_sites + len(self.centers)


def build_graph(crystal, cutoff, max_neighbors=None):
    """Neighbour graph of a crystal under periodic boundary conditions.

    Where the list of nearest neighbours would end among neighbours at the same distance, all of
    them are kept. So the graph is the same however sites are ordered and whichever cell is chosen.

    Parameters
    ----------
    crystal : Crystal
    cutoff : float
        Largest distance of neighbours, in angstrom.
    max_neighbors : int, default=None
        Number of nearest neighbours that are kept, and whoever is within 0.01 angstrom of the last
        of them; None keeps all.

    Returns
    -------
    CrystalGraph
        A site without neighbours has no edges.
    """
    points = cell_points(crystal)
    centers, neighbors, _, _, vectors = find_neighbours(points, crystal.lattice, cutoff)
    if max_neighbors is not None:
        distances = np.linalg.norm(vectors, axis=1)
        kept = _nearest(centers, distances, max_neighbors)
        centers, neighbors, vectors = centers[kept], neighbors[kept], vectors[kept]
    species = [crystal.species[kind] for kind in crystal.kinds]
    numbers = atomic_numbers()
    pairs = [(numbers[element], amount) for held in species for element, amount in held]
    elements, occupancies = zip(*pairs, strict=True)
    return CrystalGraph(
        elements=np.array(elements, dtype=np.int64) - 1,
        occupancies=np.array(occupancies, dtype=np.float32),
        sites=np.repeat(np.arange(len(species)), [len(held) for held in species]),
        centers=centers,
        neighbors=neighbors,
        vectors=vectors.astype(np.float32),
    )


def _nearest(centers, distances, count):
    """Edges within the distance of the `count`-th neighbour of their center."""
    order = np.lexsort((distances, centers))
    starts = np.searchsorted(centers[order], centers[order])
    rank = np.arange(len(order)) - starts
    reach = np.full(centers.max(initial=0) + 1, np.inf)
    last = order[rank == count - 1]
    reach[centers[last]] = distances[last] + _SHELL_WIDTH
    return np.flatnonzero(distances <= reach[centers])


def displace(graph, scale, rng):
    """A graph with its sites moved at random.

    Parameters
    ----------
    graph : CrystalGraph
    scale : float
        Standard deviation of each coordinate, in angstrom.
    rng : numpy.random.RandomState or Generator

    Returns
    -------
    CrystalGraph
        With new vectors; neighbours stay neighbours.
    """
    shifts = rng.normal(scale=scale, size=(graph.n_sites, 3)).astype(np.float32)
    moved = graph.vectors + shifts[graph.neighbors] - shifts[graph.centers]
    return graph._replace(vectors=moved)


def collate_graphs(graphs):
    """Several graphs as one, with no edges between them.

    Parameters
    ----------
    graphs : list of CrystalGraph

    Returns
    -------
    dict of str to torch.Tensor
        `elements`, `occupancies`, `sites`, `centers` and `neighbors` as in `CrystalGraph`, sites
        counted over the batch; `distances` of the edges; `sizes`, the number of sites of each
        crystal.
    """
    sizes = np.array([graph.n_sites for graph in graphs])
    first = np.cumsum(sizes) - sizes
    edges = np.concatenate([graph.vectors for graph in graphs])
    batch = {
        "elements": np.concatenate([graph.elements for graph in graphs]),
        "occupancies": np.concatenate([graph.occupancies for graph in graphs]),
        "sizes": sizes,
        "distances": np.linalg.norm(edges, axis=1),
    }
    for name in ("sites", "centers", "neighbors"):
        parts = [getattr(graph, name) + n for graph, n in zip(graphs, first, strict=True)]
        batch[name] = np.concatenate(parts)
    return {name: torch.from_numpy(values) for name, values in batch.items()}


class GaussianExpansion(nn.Module):
    """Distances as heights of Gaussians, exp(-(d - center)^2 / width^2).

    Parameters
    ----------
    largest : float
        Last center, in angstrom; the first is 0.
    n_centers : int
    width : float
        In angstrom.
    """

    def __init__(self, largest, n_centers, width):
        super().__init__()
        self.width = width
        self.register_buffer("centers", torch.linspace(0, largest, n_centers), persistent=False)

    def forward(self, distances):
        """Heights, shape (n_edges, n_centers)."""
        return torch.exp(-(((distances[:, None] - self.centers) / self.width) ** 2))


def sum_by(rows, groups, n_groups):
    """Sum of the rows of each group; zeros for a group without rows.

    Parameters
    ----------
    rows : torch.Tensor of shape (n_rows, width)
    groups : torch.Tensor of shape (n_rows,), int64
    n_groups : int

    Returns
    -------
    torch.Tensor of shape (n_groups, width)
    """
    return rows.new_zeros(n_groups, rows.shape[1]).index_add(0, groups, rows)


def mean_by(rows, groups, n_groups):
    """Mean of the rows of each group; zeros for a group without rows."""
    counts = torch.bincount(groups, minlength=n_groups).clamp(min=1)
    return sum_by(rows, groups, n_groups) / counts[:, None]
