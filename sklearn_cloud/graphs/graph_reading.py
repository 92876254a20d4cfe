"""Crystals to the graphs that the pre-trained network reads."""

from functools import lru_cache

from .asymmetric_graphs import build_asymmetric_graph
from .merged_graphs import merge_graph

_RECENT = 2048  # graphs kept for the next network that reads the same crystals; some 3 kB each


class _Source:
    """A crystal as the key of its graph: equal to crystals with equal content."""

    def __init__(self, crystal):
        self.crystal, self.key = crystal, crystal.key

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return self.key == other.key


def read_graph(config, crystal):
    """Return the `MergedGraph` of a crystal as a network with this `GraphConfig` reads it.

    The folds of an ensemble, and predictors of several properties, read the same crystals one
    after the other: the most recent graphs are kept. Do not change their arrays.
    """
    reading = (config.cutoff, config.max_neighbors, config.symprec)
    return _build(_Source(crystal), *reading)


@lru_cache(maxsize=_RECENT)
def _build(source, cutoff, max_neighbors, symprec):
    graph, multiplicities, areas = build_asymmetric_graph(
        source.crystal, "nearest", cutoff, max_neighbors, symprec
    )
    return merge_graph(graph, None, multiplicities, areas)
