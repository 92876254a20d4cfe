import numpy as np
import pytest
import torch
from pymatgen.core import Lattice, Structure

from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.graphs.crystal_graphs import (
    GaussianExpansion,
    build_graph,
    collate_graphs,
    displace,
    mean_by,
)

A = 5.0
ROCK_SALT = Structure.from_spacegroup(
    225, Lattice.cubic(A), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
CESIUM_CHLORIDE = Structure(Lattice.cubic(A), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def graph_of(structure, cutoff=8.0, max_neighbors=None):
    return build_graph(read_crystal(structure), cutoff, max_neighbors)


def edges_of(structure, graph):
    """(element, element, distance) of every edge, each cell of a supercell counted once."""
    distances = np.linalg.norm(graph.vectors, axis=1)
    pairs = zip(graph.elements[graph.centers], graph.elements[graph.neighbors], distances)
    edges = sorted((int(i), int(j), round(float(d), 3)) for i, j, d in pairs)
    return edges, len(structure)


@pytest.mark.parametrize(
    ("structure", "cutoff", "max_neighbors", "shells"),
    [
        (ROCK_SALT, 0.6 * A, None, {A / 2: 6}),
        (ROCK_SALT, 0.8 * A, None, {A / 2: 6, A / np.sqrt(2): 12}),
        # the 12th neighbour is one of the second shell, which is kept as a whole
        (ROCK_SALT, 8.0, 12, {A / 2: 6, A / np.sqrt(2): 12}),
        (ROCK_SALT, 8.0, 6, {A / 2: 6}),
        (CESIUM_CHLORIDE, 8.0, 1, {A * np.sqrt(3) / 2: 8}),
        (CESIUM_CHLORIDE, 8.0, 12, {A * np.sqrt(3) / 2: 8, A: 6}),
    ],
)
def test_shells_of_known_crystals(structure, cutoff, max_neighbors, shells):
    graph = graph_of(structure, cutoff, max_neighbors)
    distances = np.linalg.norm(graph.vectors, axis=1)
    for site in range(len(structure)):
        own = distances[graph.centers == site]
        assert len(own) == sum(shells.values())
        for distance, count in shells.items():
            assert np.count_nonzero(np.isclose(own, distance, atol=1e-4)) == count


def test_edges_join_the_right_elements():
    graph = graph_of(ROCK_SALT, cutoff=0.6 * A)
    assert set(zip(graph.elements[graph.centers], graph.elements[graph.neighbors])) == {
        (10, 16),  # atomic numbers less one
        (16, 10),
    }


def test_every_edge_is_there_in_both_directions():
    triclinic = Structure(
        Lattice.from_parameters(4.1, 5.3, 6.7, 81, 97, 103),
        ["Ca", "O"],
        [[0, 0, 0], [0.4, 0.1, 0.3]],
    )
    graph = graph_of(triclinic, cutoff=6.0)
    there = sorted(zip(graph.centers, graph.neighbors, *graph.vectors.round(3).T.tolist()))
    back = sorted(zip(graph.neighbors, graph.centers, *(-graph.vectors).round(3).T.tolist()))
    np.testing.assert_allclose(there, back, atol=2e-3)
    first, second = triclinic.cart_coords
    direct = second - first
    assert np.abs(graph.vectors - direct).sum(axis=1).min() < 1e-4


@pytest.mark.parametrize("max_neighbors", [None, 3, 12])
@pytest.mark.parametrize("structure", [ROCK_SALT, CESIUM_CHLORIDE], ids=["NaCl", "CsCl"])
def test_order_cell_and_origin_leave_no_trace(structure, max_neighbors):
    expected, n_sites = edges_of(structure, graph_of(structure, max_neighbors=max_neighbors))
    shifted = structure.copy()
    shifted.translate_sites(range(n_sites), [0.137, -0.4, 2.3], to_unit_cell=False)
    variants = {
        "order": Structure.from_sites(list(structure)[::-1]),
        "origin": shifted,
        "supercell": structure * (2, 1, 1),
        "sheared": structure * [[1, 1, 0], [0, 1, 2], [0, 0, 1]],
    }
    for name, variant in variants.items():
        edges, n = edges_of(variant, graph_of(variant, max_neighbors=max_neighbors))
        assert edges == sorted(expected * (n // n_sites)), name


def test_isolated_atom_has_no_edges():
    alone = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])
    for max_neighbors in (None, 12):
        graph = graph_of(alone, max_neighbors=max_neighbors)
        assert graph.n_sites == graph.size == 1
        assert graph.centers.shape == (0,)
        assert graph.vectors.shape == (0, 3)


def test_species_of_disordered_sites():
    alloy = Structure(Lattice.cubic(3), [{"Au": 0.25, "Cu": 0.5}, "O"], [[0, 0, 0], [0.5] * 3])
    graph = graph_of(alloy)
    held = sorted(zip(graph.sites.tolist(), (graph.elements + 1).tolist(), graph.occupancies))
    assert held == [(0, 29, 0.5), (0, 79, 0.25), (1, 8, 1.0)]


def test_displaced_edges_are_those_of_displaced_atoms():
    graph = graph_of(CESIUM_CHLORIDE, max_neighbors=12)
    moved = displace(graph, 0.1, np.random.RandomState(0))
    shifts = np.random.RandomState(0).normal(scale=0.1, size=(2, 3))
    structure = CESIUM_CHLORIDE.copy()
    for site, shift in enumerate(shifts):
        structure.translate_sites([site], shift, frac_coords=False)
    every = graph_of(structure).vectors
    for vector in moved.vectors:
        assert np.linalg.norm(every - vector, axis=1).min() < 1e-4
    # an atom and its own images move together
    own = graph.centers == graph.neighbors
    np.testing.assert_allclose(moved.vectors[own], graph.vectors[own], atol=1e-6)
    assert np.abs(moved.vectors - graph.vectors)[~own].max() > 0.05


def test_batch_keeps_graphs_apart():
    graphs = [graph_of(s, 4.0) for s in (ROCK_SALT, CESIUM_CHLORIDE)]
    batch = collate_graphs(graphs)
    assert batch["sizes"].tolist() == [8, 2]
    crystals = torch.repeat_interleave(batch["sizes"])
    assert torch.equal(crystals[batch["centers"]], crystals[batch["neighbors"]])
    assert batch["elements"][batch["sites"] == 8].tolist() == [54]
    lengths = np.concatenate([np.linalg.norm(graph.vectors, axis=1) for graph in graphs])
    np.testing.assert_allclose(batch["distances"], lengths, rtol=1e-6)


def test_gaussians():
    expand = GaussianExpansion(2.0, 3, width=0.5)
    expected = np.exp(-((np.array([1.5, 0.5, -0.5]) / 0.5) ** 2))
    np.testing.assert_allclose(expand(torch.tensor([1.5]))[0], expected, rtol=1e-5)


def test_mean_of_no_rows_is_zero():
    rows = torch.tensor([[1.0], [3.0], [5.0]])
    means = mean_by(rows, torch.tensor([0, 0, 2]), 3)
    assert means[:, 0].tolist() == [2.0, 0.0, 5.0]
