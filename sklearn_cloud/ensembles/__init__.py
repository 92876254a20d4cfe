"""Ensembles of different models, which predict with intervals from crystals."""

from ..lazy import lazy_names

_HOMES = {
    "CrystalClassifier": "crystal_classifier",
    "CrystalRegressor": "crystal_regressor",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
