import numpy as np
from pymatgen.core import Lattice, Structure

from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.graphs.graph_config import GraphConfig
from sklearn_cloud.graphs.graph_reading import read_graph


def rock_salt(a):
    return read_crystal(
        Structure.from_spacegroup(
            "Fm-3m", Lattice.cubic(a), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        )
    )


def test_equal_crystals_share_a_graph():
    first, second = (read_graph(GraphConfig(), rock_salt(5.6)) for _ in range(2))
    assert first is second
    assert read_graph(GraphConfig(width=16), rock_salt(5.6)) is first  # read in the same way


def test_other_crystals_and_other_ways_to_read_have_graphs_of_their_own():
    graph = read_graph(GraphConfig(), rock_salt(5.6))
    larger = read_graph(GraphConfig(), rock_salt(6.0))
    assert np.allclose(larger.distances.min(), 3.0) and np.allclose(graph.distances.min(), 2.8)
    few = read_graph(GraphConfig(max_neighbors=4), rock_salt(5.6))
    assert len(few.centers) < len(graph.centers)
