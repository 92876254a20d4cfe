"""Scikit-learn estimators on symmetry strings."""

from .regressor import CloudRegressor

__all__ = ["CloudRegressor"]
