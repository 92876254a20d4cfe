"""Crystal graphs in which equivalent sites, bonds and angles stand once.

A network that sees a crystal through distances and angles computes the same numbers for the twelve
bonds of a close-packed atom. Here each is there once, with the number of those that it stands for,
and the sums of the network weigh it by this number: the result is the same, and on MatBench's
phonons an angle stands for seven.
"""

from typing import NamedTuple

import numpy as np
import torch

from .crystal_graphs import weighted_mean_by
from .line_graphs import find_angles

# Values that differ by less count as equal: distances (angstrom), cosines and other numbers without
# a unit, areas (square angstrom).
_LENGTH, _COSINE, _AREA = 1e-3, 1e-3, 1e-2
_WIDEST = 10  # times that: the largest difference in a row of values of which each equals the next


class MergedGraph(NamedTuple):
    """Classes of equivalent sites, bonds and angles of a crystal.

    Attributes
    ----------
    elements, occupancies, sites : ndarray of shape (n_species,)
        As in `CrystalGraph`, of one site of each class.
    multiplicities : ndarray of shape (n_sites,), float32
        Sites of each class in the cell.
    centers, neighbors : ndarray of shape (n_bonds,), int64
        The classes of the two sites of each class of bonds.
    distances, areas : ndarray of shape (n_bonds,), float32
        In angstrom; of the Voronoi face in square angstrom, or 0.
    bond_counts : ndarray of shape (n_bonds,), float32
        Bonds of this class that one site of the class `centers` has.
    first, second : ndarray of shape (n_angles,), int64
        The classes of the two bonds of each class of angles.
    cosines : ndarray of shape (n_angles,), float32
    angle_counts : ndarray of shape (n_angles,), float32
        Angles of this class that one bond of the class `first` has.
    returns : ndarray of shape (n_sites, n_steps), float32
        Values of the sites that were passed as such; no columns if there were none.
    """

    elements: np.ndarray
    occupancies: np.ndarray
    sites: np.ndarray
    multiplicities: np.ndarray
    centers: np.ndarray
    neighbors: np.ndarray
    distances: np.ndarray
    areas: np.ndarray
    bond_counts: np.ndarray
    first: np.ndarray
    second: np.ndarray
    cosines: np.ndarray
    angle_counts: np.ndarray
    returns: np.ndarray

    @property
    def n_sites(self):
        return len(self.multiplicities)

    @property
    def size(self):
        """Rows that the network computes for this graph."""
        return self.n_sites + len(self.centers) + len(self.first)


def merge_graph(graph, angles=None, multiplicities=None, areas=None, returns=None):
    """Classes of sites, bonds and angles that no network of this kind can tell apart.

    Sites start as equal if the same elements sit on them, bonds if they are equally long. Then
    bonds are told apart by their sites and angles, and sites by their bonds, until no class is
    split any more (colour refinement). Distances and cosines that differ by less than 0.001 count
    as equal, and a class has the mean of its values.

    Parameters
    ----------
    graph : CrystalGraph
    angles : {"consecutive", "at site"}, default=None
        Angles between each bond and those that start where it ends, or between any two bonds that
        start at the same site; None for no angles.
    multiplicities : ndarray of shape (n_sites,), default=None
        Sites that each site of the graph stands for; None for one each.
    areas : ndarray of shape (n_edges,), default=None
        Values of the edges by which they are told apart as well.
    returns : ndarray of shape (n_sites, n_steps), default=None
        Values of the sites by which they are told apart as well.

    Returns
    -------
    MergedGraph
    """
    n_sites, n_bonds = graph.n_sites, len(graph.centers)
    distances = np.linalg.norm(graph.vectors.astype(float), axis=1)
    areas = np.zeros(n_bonds) if areas is None else areas
    returns = np.zeros((n_sites, 0)) if returns is None else returns
    multiplicities = np.ones(n_sites) if multiplicities is None else multiplicities
    turns = find_angles(graph, distances, angles)
    site_class, bond_class = _refine(graph, distances, areas, returns, turns)
    site = _first_of_each(site_class)
    own = np.flatnonzero(np.isin(graph.centers, site))
    bond = own[_first_of_each(bond_class[own])]
    return MergedGraph(
        **_species(graph, site, site_class),
        multiplicities=np.bincount(site_class, multiplicities).astype(np.float32),
        centers=site_class[graph.centers[bond]],
        neighbors=site_class[graph.neighbors[bond]],
        distances=_means(distances, bond_class),
        areas=_means(areas, bond_class),
        bond_counts=np.bincount(bond_class[own]).astype(np.float32),
        **_merge_angles(turns, bond, bond_class),
        returns=returns[site].astype(np.float32),
    )


def _species(graph, site, site_class):
    """What sits on these sites, one of each class, by class."""
    species = np.flatnonzero(np.isin(graph.sites, site))
    species = species[np.argsort(site_class[graph.sites[species]], kind="stable")]
    return {
        "elements": graph.elements[species],
        "occupancies": graph.occupancies[species],
        "sites": site_class[graph.sites[species]],
    }


def _merge_angles(angles, bond, bond_class):
    """The angles of these bonds, one of each class, and their numbers."""
    kept = np.isin(angles[0], bond)
    first, second, cosines = (column[kept] for column in angles)
    labels = _hash(bond_class[first], bond_class[second], find_levels(cosines, _COSINE))
    angle_class = np.unique(labels, return_inverse=True)[1]
    angle = _first_of_each(angle_class)
    return {
        "first": bond_class[first[angle]],
        "second": bond_class[second[angle]],
        "cosines": _means(cosines, angle_class),
        "angle_counts": np.bincount(angle_class).astype(np.float32),
    }


def find_levels(values, difference):
    """The same integer for values that are close.

    Parameters
    ----------
    values : array-like of shape (n_values,)
    difference : float
        A value has the level of the next smaller one if it differs by no more than this. A level
        is at most ten times as wide.

    Returns
    -------
    ndarray of shape (n_values,), int
    """
    order = np.argsort(values)
    ascending = np.asarray(values, dtype=float)[order]
    new = np.diff(ascending, prepend=-np.inf) > difference
    above_first = ascending - ascending[new][np.cumsum(new) - 1]
    parts = np.floor(above_first / (_WIDEST * difference))
    new |= np.diff(parts, prepend=0) > 0
    levels = np.empty(len(order), dtype=np.int64)
    levels[order] = np.cumsum(new)
    return levels


def _refine(graph, distances, areas, returns, angles):
    """Class of each site and of each bond, counted from 0."""
    n_sites, (first, second, cosines) = graph.n_sites, angles
    species = _hash(graph.elements, find_levels(graph.occupancies, _COSINE))
    values = [find_levels(column, _COSINE) for column in returns.T]
    sites = _hash(_sums(species, graph.sites, n_sites), *values)
    bonds = _hash(find_levels(distances, _LENGTH), find_levels(areas, _AREA))
    turns = find_levels(cosines, _COSINE)
    n_before, n_classes = 0, 1
    while n_classes > n_before:
        around = _sums(_hash(bonds[second], turns), first, len(bonds))
        bonds = _hash(bonds, sites[graph.centers], sites[graph.neighbors], around)
        sites = _hash(sites, _sums(bonds, graph.centers, n_sites))
        n_before, n_classes = n_classes, len(np.unique(sites)) + len(np.unique(bonds))
    return (np.unique(labels, return_inverse=True)[1] for labels in (sites, bonds))


def _hash(*columns):
    """One number for the integers of each row: equal for equal rows, else practically never."""
    label = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:  # the finalizer of SplitMix64
        label = label + column.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        label = (label ^ (label >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        label = (label ^ (label >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        label = label ^ (label >> np.uint64(31))
    return label


def _sums(labels, groups, n_groups):
    """One number for the labels of each group, whatever their order."""
    total = np.zeros(n_groups, dtype=np.uint64)
    np.add.at(total, groups, labels)
    return total


def _first_of_each(classes):
    return np.unique(classes, return_index=True)[1]


def _means(values, classes):
    counts = np.bincount(classes)
    return (np.bincount(classes, values) / counts).astype(np.float32)


def collate_merged(graphs):
    """Several merged graphs as one, with no edges between them.

    Parameters
    ----------
    graphs : list of MergedGraph

    Returns
    -------
    dict of str to torch.Tensor
        The fields of `MergedGraph`, sites and bonds counted over the batch, and `sizes`, the number
        of classes of sites of each crystal.
    """
    sizes = np.array([graph.n_sites for graph in graphs])
    n_bonds = np.array([len(graph.centers) for graph in graphs])
    sites_before, bonds_before = np.cumsum(sizes) - sizes, np.cumsum(n_bonds) - n_bonds
    starts = dict.fromkeys(("sites", "centers", "neighbors"), sites_before)
    starts |= dict.fromkeys(("first", "second"), bonds_before)
    batch = {"sizes": torch.from_numpy(sizes)}
    for name in MergedGraph._fields:
        parts = [getattr(graph, name) for graph in graphs]
        if name in starts:
            parts = [part + start for part, start in zip(parts, starts[name], strict=True)]
        batch[name] = torch.from_numpy(np.concatenate(parts))
    return batch


def mean_over_sites(nodes, graph):
    """Mean over the sites of each cell.

    Parameters
    ----------
    nodes : torch.Tensor of shape (n_sites, width)
        A row for each class of sites of a batch.
    graph : object
        With `sizes` and `multiplicities` of `collate_merged` as attributes.

    Returns
    -------
    torch.Tensor of shape (n_crystals, width)
    """
    crystals = torch.repeat_interleave(graph.sizes)
    return weighted_mean_by(nodes, graph.multiplicities, crystals, len(graph.sizes))
