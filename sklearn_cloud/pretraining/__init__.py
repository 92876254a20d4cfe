"""Self-supervised pre-training: corpus, masking, trainer and scores."""

from ..lazy import lazy_names

_HOMES = {
    "Corpus": "corpus",
    "CorpusSource": "corpus_builder",
    "Language": "language",
    "build_corpus": "corpus_builder",
    "pretrain": "pretraining",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
