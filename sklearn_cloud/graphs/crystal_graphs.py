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


def build_graph(crystal, cutoff, max_neighbors=None, mutual=False):
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
    mutual : bool, default=False
        Whether an edge is there in both directions as soon as either site counts the other among
        its nearest neighbours.

    Returns
    -------
    CrystalGraph
        A site without neighbours has no edges.
    """
    points = cell_points(crystal)
    centers, neighbors, _, distances, vectors = find_neighbours(points, crystal.lattice, cutoff)
    if max_neighbors is not None:
        reach = nearest_reach(centers, distances, max_neighbors, len(points))
        largest = np.maximum(reach[centers], reach[neighbors]) if mutual else reach[centers]
        kept = distances <= largest
        centers, neighbors, vectors = centers[kept], neighbors[kept], vectors[kept]
    return CrystalGraph(
        *list_species(crystal, range(len(points))),
        centers=centers,
        neighbors=neighbors,
        vectors=vectors.astype(np.float32),
    )


def list_species(crystal, sites):
    """What sits on some sites of a crystal: the first three arrays of a `CrystalGraph`."""
    species = [crystal.species[crystal.kinds[site]] for site in sites]
    numbers = atomic_numbers()
    pairs = [(numbers[element], amount) for held in species for element, amount in held]
    elements, occupancies = zip(*pairs, strict=True)
    return (
        np.array(elements, dtype=np.int64) - 1,
        np.array(occupancies, dtype=np.float32),
        np.repeat(np.arange(len(species)), [len(held) for held in species]),
    )


def nearest_reach(centers, distances, count, n_sites):
    """How far the nearest neighbours of each site are.

    Parameters
    ----------
    centers : ndarray of shape (n_edges,), int
    distances : ndarray of shape (n_edges,)
        In angstrom.
    count : int
        Number of nearest neighbours.
    n_sites : int

    Returns
    -------
    ndarray of shape (n_sites,)
        Distance of the last of them, and 0.01 angstrom more; infinite for a site with fewer edges.
    """
    order = np.lexsort((distances, centers))
    starts = np.searchsorted(centers[order], centers[order])
    rank = np.arange(len(order)) - starts
    reach = np.full(n_sites, np.inf)
    last = order[rank == count - 1]
    reach[centers[last]] = distances[last] + _SHELL_WIDTH
    return reach


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
        Last center, in angstrom.
    n_centers : int
    width : float
        In angstrom.
    smallest : float, default=0.0
        First center.
    """

    def __init__(self, largest, n_centers, width, smallest=0.0):
        super().__init__()
        self.width = width
        centers = torch.linspace(smallest, largest, n_centers)
        self.register_buffer("centers", centers, persistent=False)

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


def weighted_mean_by(rows, weights, groups, n_groups):
    """Mean of the rows of each group with weights, shape (n_rows,); zeros for an empty group."""
    total = sum_by(rows * weights[:, None], groups, n_groups)
    return total / sum_by(weights[:, None], groups, n_groups).clamp(min=1e-9)


def softmax_by(scores, groups, n_groups):
    """Softmax of the scores, shape (n_rows, n_columns), within each group, column by column."""
    largest = scores.new_full((n_groups, scores.shape[1]), -torch.inf)
    index = groups[:, None].expand_as(scores)
    largest = largest.scatter_reduce(0, index, scores.detach(), "amax")
    heights = torch.exp(scores - largest.index_select(0, groups))
    return heights / sum_by(heights, groups, n_groups).index_select(0, groups)
