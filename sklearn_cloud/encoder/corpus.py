"""Moved to `sklearn_cloud.pretraining`; kept for code that imports from here."""

from ..pretraining import Corpus

__all__ = ["Corpus"]
