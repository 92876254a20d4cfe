"""Line graphs, graphs of asymmetric units, and random walks."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure, SymmOp

from sklearn_cloud.baselines.random_walks import return_probabilities
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.graphs.asymmetric_graphs import build_asymmetric_graph
from sklearn_cloud.graphs.crystal_graphs import build_graph
from sklearn_cloud.graphs.line_graphs import bond_pairs, count_angles, find_angles

A = 5.6
ROCK_SALT = Structure.from_spacegroup(
    225, Lattice.cubic(A), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
RUTILE = Structure.from_spacegroup(
    136, Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
)


def lengths(graph):
    return np.linalg.norm(graph.vectors, axis=1)


def test_pairs_of_bonds():
    ends, starts = np.array([1, 0, 2, 0]), np.array([0, 1, 0, 2])
    first, second = bond_pairs(ends, starts)
    assert set(zip(first.tolist(), second.tolist())) == {
        (0, 1), (1, 0), (1, 2), (2, 3), (3, 0), (3, 2)
    }  # fmt: skip
    assert count_angles(ends, starts) == len(first) == 6
    nothing = np.zeros(0, dtype=int)
    assert count_angles(nothing, nothing) == 0
    assert len(bond_pairs(nothing, nothing)[0]) == 0


@pytest.mark.parametrize("angles", ["consecutive", "at site"])
def test_angles_of_octahedra(angles):
    """A bond meets itself (if consecutive: backwards), its opposite, and four at right angles."""
    graph = build_graph(read_crystal(ROCK_SALT), 8.0, 6)
    first, second, cosines = find_angles(graph, lengths(graph), angles)
    assert len(graph.centers) == 8 * 6
    counts = dict(zip(*np.unique(np.round(cosines, 4) + 0.0, return_counts=True)))
    consecutive = angles == "consecutive"
    assert counts == {-1.0: 48, 0.0: 4 * 48, **({1.0: 48} if consecutive else {})}
    met = (graph.neighbors if consecutive else graph.centers)[first]
    assert (graph.centers[second] == met).all()


def test_no_angles():
    graph = build_graph(read_crystal(ROCK_SALT), 8.0, 6)
    assert all(len(column) == 0 for column in find_angles(graph, lengths(graph), None))


def test_mutual_neighbours():
    """Of a dumbbell and a lone atom, the lone atom alone counts the others as its nearest."""
    structure = Structure(
        Lattice.cubic(12), ["N", "N", "Ar"], [[0, 0, 0], [0.1, 0, 0], [0.4, 0, 0]]
    )
    one_way, mutual = (
        build_graph(read_crystal(structure), 8.0, 1, mutual=mutual) for mutual in (False, True)
    )
    assert set(zip(one_way.centers, one_way.neighbors)) == {(0, 1), (1, 0), (2, 1)}
    assert set(zip(mutual.centers, mutual.neighbors)) == {(0, 1), (1, 0), (2, 1), (1, 2)}


def asymmetric(structure, connectivity="nearest", cutoff=8.0, max_neighbors=6):
    return build_asymmetric_graph(
        read_crystal(structure), connectivity, cutoff, max_neighbors, symprec=0.01
    )


def summary(one):
    """Element, multiplicity and sorted edges of each orbit, whatever their order."""
    graph, found = one.graph, []
    for orbit in range(graph.n_sites):
        edges = graph.centers == orbit
        ends = graph.elements[graph.neighbors[edges]]
        rows = zip(
            ends.tolist(), lengths(graph)[edges].round(3).tolist(), one.areas[edges].round(2)
        )
        found.append((graph.elements[orbit], one.multiplicities[orbit], sorted(rows)))
    return sorted(found)


def test_asymmetric_unit_of_rutile():
    one = asymmetric(RUTILE)
    assert [row[:2] for row in summary(one)] == [(7, 4.0), (21, 2.0)]
    assert one.graph.n_sites == 2
    titanium = summary(one)[1][2]
    assert [end for end, *_ in titanium] == [7] * 6


@pytest.mark.parametrize("connectivity", ["nearest", "radius", "voronoi"])
def test_asymmetric_graph_depends_on_the_crystal_alone(connectivity):
    expected = summary(asymmetric(RUTILE, connectivity, cutoff=4.0))
    shifted = RUTILE.copy()
    shifted.translate_sites(range(6), [0.21, 0.4, -0.3], to_unit_cell=False)
    turn = SymmOp.from_axis_angle_and_translation([1, 2, 3], 40)
    variants = {
        "order": Structure.from_sites(list(RUTILE)[::-1]),
        "origin": shifted,
        "rotation": RUTILE.copy().apply_operation(turn),
        "supercell": RUTILE * (2, 1, 2),
        "sheared": RUTILE * [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
    }
    for name, variant in variants.items():
        found = summary(asymmetric(variant, connectivity, cutoff=4.0))
        assert [row[:2] for row in found] == [row[:2] for row in expected], name
        for (*_, edges), (*_, wanted) in zip(found, expected):
            np.testing.assert_allclose(edges, wanted, atol=0.011, err_msg=name)


def test_voronoi_faces():
    polonium = asymmetric(Structure(Lattice.cubic(3.35), ["Po"], [[0, 0, 0]]), "voronoi")
    assert len(polonium.graph.centers) == 6
    np.testing.assert_allclose(polonium.areas, 3.35**2, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(polonium.graph.vectors, axis=1), 3.35, rtol=1e-6)


def test_random_walks():
    """In rock salt every second step is back on the sublattice, which has one site."""
    primitive = Structure(
        Lattice.from_parameters(4, 4, 4, 60, 60, 60), ["Na", "Cl"], [[0] * 3, [0.5] * 3]
    )
    graph = build_graph(read_crystal(primitive), 8.0, 6)
    np.testing.assert_allclose(return_probabilities(graph, 4), [[0, 1, 0, 1]] * 2)
    alone = build_graph(read_crystal(Structure(Lattice.cubic(30), ["Ar"], [[0] * 3])), 8.0, 6)
    assert (return_probabilities(alone, 3) == 0).all()
