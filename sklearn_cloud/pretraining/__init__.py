"""Self-supervised pre-training: corpus, masking, trainer and scores."""

from ..lazy import lazy_names

_HOMES = {
    "Corpus": "corpus",
    "CorpusSource": "corpus_builder",
    "GraphConfig": "..graphs.graph_config",
    "GraphCorpus": "graph_corpus",
    "Language": "language",
    "build_corpus": "corpus_builder",
    "pretrain": "pretraining",
    "pretrain_graphs": "graph_pretraining",
    "read_graph_corpus": "graph_corpus",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
