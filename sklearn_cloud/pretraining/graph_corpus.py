"""Crystals as graphs and numbers, for the pre-training of a graph network."""

import hashlib
from functools import partial
from typing import NamedTuple

import numpy as np

from ..crystals.items import as_items
from ..crystals.row_messages import raise_errors
from ..crystals.rows import compute_rows, each, read_rows
from ..graphs.graph_config import GraphConfig
from ..graphs.graph_reading import read_graph
from ..symmetry.transformer import SymmetryStringTransformer

_CLIP = 6.0  # standard deviations


class GraphCorpus(NamedTuple):
    """Graphs of crystals, with numbers that describe them.

    Parameters
    ----------
    graphs : list of MergedGraph
    numbers : ndarray of shape (n_crystals, n_numbers), float32
        The numbers on geometry and bonds of `SymmetryStringTransformer`, standardised and clipped
        at six standard deviations, without those that are constant; NaN if unknown.
    reading : tuple
        How the graphs were read: most neighbours, cutoff and symprec.
    fingerprint : str
        SHA-256 of the content.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.pretraining import GraphConfig, read_graph_corpus
    >>> corpus = read_graph_corpus(load_example().structures[:8], GraphConfig())
    >>> len(corpus.graphs), corpus.reading
    (8, (12, 8.0, 0.01))
    """

    graphs: list
    numbers: np.ndarray
    reading: tuple
    fingerprint: str

    @staticmethod
    def reading_of(config):
        """Return what `reading` must be for a shape of the network.

        Parameters
        ----------
        config : GraphConfig

        Returns
        -------
        tuple
        """
        return config.max_neighbors, config.cutoff, config.symprec


def read_graph_corpus(crystals, config=None, *, n_jobs=None, verbose=0):
    """Turn crystals into graphs and numbers; of those with the same symmetry string, the first.

    Parameters
    ----------
    crystals : list, array or Series of crystals
        Those without a symmetry string, such as formulas, are left out with a warning.
    config : GraphConfig, default=None
        How the network reads a crystal; None means the default.
    n_jobs : int, default=None
        Number of joblib workers.
    verbose : int, default=0
        If not 0, show progress bars.

    Returns
    -------
    GraphCorpus

    Raises
    ------
    TypeError, CrystalError
        If a row is not a crystal, or has no graph; the message lists all of them.
    ValueError
        If no crystal is left.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.pretraining import GraphConfig, read_graph_corpus
    >>> corpus = read_graph_corpus(load_example().structures[:8], GraphConfig(width=16))
    >>> len(corpus.numbers)
    8
    """
    transformer = SymmetryStringTransformer(
        sites="orbits", numbers="bonds", n_jobs=n_jobs, on_error="warn", verbose=verbose
    )
    config = config or GraphConfig()
    crystals = read_rows(as_items(crystals), n_jobs=n_jobs)
    table = np.asarray(transformer.fit_transform(crystals), dtype=object)
    first = {}
    for row, string in enumerate(table[:, 0]):
        if isinstance(string, str):
            first.setdefault(string, row)
    if not first:
        raise ValueError("no crystal has a symmetry string: see the warning for the reasons.")
    kept = list(first.values())
    graphs = _read_graphs(crystals, kept, config, n_jobs, verbose)
    numbers = _standardise(table[kept, 1:].astype(float))
    return GraphCorpus(graphs, numbers, GraphCorpus.reading_of(config), _digest(graphs, numbers))


def _read_graphs(crystals, kept, config, n_jobs, verbose):
    rows = compute_rows(
        [crystals[row] for row in kept],
        partial(each, partial(read_graph, config)),
        n_jobs=n_jobs,
        label="graphs" if verbose else None,
        on_error="keep",
    )
    # a message has the rows of the caller
    places = np.zeros(len(crystals), dtype=int)
    errors = {kept[row]: error for row, error in rows.errors.items()}
    raise_errors(rows._replace(places=places, errors=errors))
    return [rows.results[place] for place in rows.places]


def _standardise(numbers):
    """Standardise the columns that are not constant."""
    numbers = numbers[:, np.isfinite(numbers).any(axis=0)]
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
