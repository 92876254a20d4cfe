"""Scikit-learn estimators for symmetry strings."""

from .classifier import CloudClassifier
from .embedder import CloudEmbedder
from .regressor import CloudRegressor

__all__ = ["CloudClassifier", "CloudEmbedder", "CloudRegressor"]
