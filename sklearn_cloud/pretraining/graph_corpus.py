"""Crystals as graphs and numbers, for the pre-training of a graph network."""

import hashlib
from functools import partial
from typing import NamedTuple

import numpy as np

from ..baselines.asymmetric_graphs import build_asymmetric_graph
from ..baselines.merged_graphs import merge_graph
from ..crystals.rows import compute_rows, each, read_rows
from ..symmetry.transformer import SymmetryStringTransformer

_CLIP = 6.0  # standard deviations


class GraphCorpus(NamedTuple):
    """Graphs of crystals, with numbers that describe them.

    Attributes
    ----------
    graphs : list of MergedGraph
    numbers : ndarray of shape (n_crystals, 43), float32
        The numbers on geometry and bonds of `SymmetryStringTransformer`, standardised and clipped
        at six standard deviations; NaN if unknown.
    reading : tuple
        How the graphs were read: most neighbours, cutoff and symprec.
    fingerprint : str
        SHA-256 of the content.
    """

    graphs: list
    numbers: np.ndarray
    reading: tuple
    fingerprint: str

    @staticmethod
    def reading_of(config):
        """Return what `reading` must be for a `GraphConfig`."""
        return config.max_neighbors, config.cutoff, config.symprec


def read_graph_corpus(crystals, config, *, n_jobs=None, verbose=0):
    """Turn crystals into graphs and numbers; of those with the same symmetry string, the first.

    Parameters
    ----------
    crystals : sequence of crystals
    config : GraphConfig
    n_jobs : int, default=None
    verbose : int, default=0

    Returns
    -------
    GraphCorpus

    Raises
    ------
    CrystalError
        If a row is not a crystal with coordinates.
    """
    transformer = SymmetryStringTransformer(
        sites="orbits", numbers="bonds", n_jobs=n_jobs, on_error="warn", verbose=verbose
    )
    crystals = read_rows(list(crystals), n_jobs=n_jobs)
    table = np.asarray(transformer.fit_transform(crystals), dtype=object)
    first = {}
    for row, string in enumerate(table[:, 0]):
        if isinstance(string, str):
            first.setdefault(string, row)
    rows = compute_rows(
        [crystals[row] for row in first.values()],
        partial(each, partial(_read_graph, config)),
        n_jobs=n_jobs,
        label="graphs" if verbose else None,
    )
    graphs = [rows.results[place] for place in rows.places]
    numbers = _standardise(table[list(first.values()), 1:].astype(float))
    return GraphCorpus(graphs, numbers, GraphCorpus.reading_of(config), _digest(graphs, numbers))


def _read_graph(config, crystal):
    graph, multiplicities, areas = build_asymmetric_graph(
        crystal, "nearest", config.cutoff, config.max_neighbors, config.symprec
    )
    return merge_graph(graph, None, multiplicities, areas)


def _standardise(numbers):
    """Standardise the columns that are not constant."""
    scales = np.nanstd(numbers, axis=0)
    numbers = ((numbers - np.nanmean(numbers, axis=0)) / np.where(scales > 0, scales, 1)).clip(
        -_CLIP, _CLIP
    )
    return numbers[:, scales > 1e-6].astype(np.float32)


def _digest(graphs, numbers):
    digest = hashlib.sha256(numbers.tobytes())
    for graph in graphs:
        for array in graph:
            digest.update(array.tobytes())
    return digest.hexdigest()
