"""Equivalent sites, bonds and angles, counted."""

import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.graphs.crystal_graphs import build_graph
from sklearn_cloud.graphs.merged_graphs import collate_merged, find_levels, merge_graph

ROCK_SALT = Structure.from_spacegroup(
    225, Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
RUTILE = Structure.from_spacegroup(
    136, Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
)


def merged(structure, angles="consecutive", max_neighbors=6, **more):
    return merge_graph(build_graph(read_crystal(structure), 8.0, max_neighbors), angles, **more)


def test_rock_salt():
    """Each element has six equal bonds: back, straight on, and four at right angles."""
    graph = merged(ROCK_SALT)
    assert sorted(graph.elements) == [10, 16]
    assert graph.multiplicities.tolist() == [4, 4]
    assert graph.bond_counts.tolist() == [6, 6]
    np.testing.assert_allclose(graph.distances, 2.8, rtol=1e-6)
    assert (graph.elements[graph.centers] != graph.elements[graph.neighbors]).all()
    found = sorted(zip(graph.first, graph.cosines.round(4) + 0.0, graph.angle_counts))
    assert found == [
        (bond, cosine, n) for bond in (0, 1) for cosine, n in ((-1, 1), (0, 4), (1, 1))
    ]
    assert (graph.first != graph.second).all()


def test_bonds_are_told_apart_by_length_and_angles():
    graph = merged(RUTILE, "at site")
    titanium = int(np.flatnonzero(graph.elements == 21)[0])
    own = graph.centers == titanium
    bonds = sorted(zip(graph.distances[own], graph.bond_counts[own]))
    np.testing.assert_allclose(bonds, [(1.948, 4), (1.982, 2)], atol=1e-3)
    # five other bonds at each titanium
    starts = graph.centers[graph.first] == titanium
    assert np.bincount(graph.first[starts], graph.angle_counts[starts]).max() == 5


@pytest.mark.parametrize("angles", ["consecutive", "at site", None])
def test_a_supercell_has_the_same_classes(angles):
    single, double = merged(RUTILE, angles), merged(RUTILE * (2, 1, 1), angles)
    assert double.size == single.size
    assert sorted(double.multiplicities) == sorted(2 * single.multiplicities)
    assert sorted(double.bond_counts) == sorted(single.bond_counts)
    assert sorted(double.angle_counts) == sorted(single.angle_counts)


def test_counts_add_up_to_the_whole_graph():
    graph = build_graph(read_crystal(RUTILE), 8.0, 12)
    small = merge_graph(graph, "consecutive")
    assert small.multiplicities.sum() == graph.n_sites
    per_bond = small.multiplicities[small.centers] * small.bond_counts
    assert per_bond.sum() == len(graph.centers)
    every = np.bincount(graph.centers)[graph.neighbors].sum()
    assert (per_bond[small.first] * small.angle_counts).sum() == every


def test_noise_of_the_coordinates_does_not_change_the_numbers():
    noisy = RUTILE.copy()
    noisy.perturb(1e-5)
    clean, noisy = merged(RUTILE), merged(noisy)
    assert noisy.size < 2 * clean.size
    means = [np.average(g.distances, weights=g.multiplicities[g.centers] * g.bond_counts)
             for g in (clean, noisy)]  # fmt: skip
    np.testing.assert_allclose(*means, atol=1e-5)


def test_levels_of_values():
    levels = find_levels([3.0, 1.0004, 2.0, 1.0, 2.999], 0.0011)
    assert levels[1] == levels[3] != levels[2]
    assert levels[0] == levels[4] > levels[2]
    # of values that are all close to the next one, no level is wider than ten times the difference
    chain = np.random.RandomState(0).permutation(np.arange(0, 1, 5e-4))
    levels = find_levels(chain, 1e-3)
    widths = [np.ptp(chain[levels == level]) for level in np.unique(levels)]
    assert 0.005 < max(widths) <= 0.0101
    assert len(find_levels([], 1e-3)) == 0


def test_sites_are_told_apart_by_their_values():
    values = np.arange(8.0)[:, None]
    assert merged(ROCK_SALT, returns=values).n_sites == 8
    assert merged(ROCK_SALT, returns=np.ones((8, 1))).n_sites == 2


def test_bonds_are_told_apart_by_their_areas():
    graph = build_graph(read_crystal(ROCK_SALT), 8.0, 6)
    areas = np.where(np.abs(graph.vectors[:, 2]) > 1, 8.0, 7.0)
    assert sorted(merge_graph(graph, areas=areas).areas) == [7, 7, 8, 8]


def test_isolated_atom():
    graph = merged(Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]]))
    assert (graph.n_sites, len(graph.centers), len(graph.first)) == (1, 0, 0)


def test_batch_keeps_graphs_apart():
    graphs = [merged(RUTILE), merged(ROCK_SALT)]
    batch = collate_merged(graphs)
    crystals = torch.repeat_interleave(batch["sizes"])
    of_bonds = crystals[batch["centers"]]
    assert torch.equal(of_bonds, crystals[batch["neighbors"]])
    assert torch.equal(of_bonds[batch["first"]], of_bonds[batch["second"]])
    for name in ("distances", "cosines", "multiplicities", "bond_counts"):
        together = np.concatenate([getattr(graph, name) for graph in graphs])
        np.testing.assert_array_equal(batch[name].numpy(), together)
