"""Crystals to the graphs that the pre-trained network reads."""

from .asymmetric_graphs import build_asymmetric_graph
from .merged_graphs import merge_graph


def read_graph(config, crystal):
    """Return the `MergedGraph` of a crystal as a network with this `GraphConfig` reads it."""
    graph, multiplicities, areas = build_asymmetric_graph(
        crystal, "nearest", config.cutoff, config.max_neighbors, config.symprec
    )
    return merge_graph(graph, None, multiplicities, areas)
