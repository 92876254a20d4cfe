"""Moved to `sklearn_cloud.pretraining`; kept for code that imports from here."""

from ..pretraining import CorpusSource, build_corpus

__all__ = ["CorpusSource", "build_corpus"]
