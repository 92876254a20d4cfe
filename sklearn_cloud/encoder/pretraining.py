"""Moved to `sklearn_cloud.pretraining`; kept for code that imports from here."""

from ..pretraining import pretrain

__all__ = ["pretrain"]
