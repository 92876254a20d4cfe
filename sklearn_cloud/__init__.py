"""CLOUD, the crystal foundation model, as scikit-learn estimators."""

from ._version import __version__
from .lazy import lazy_names

# The estimators bring scikit-learn and torch: each name is imported when it is first used.
_HOMES = {
    "CrystalError": "crystals.errors",
    "SymmetryStringTransformer": "symmetry.transformer",
    "symmetry_string": "symmetry.strings",
    "parse_string": "symmetry.parsing",
    "CrystalRegressor": "ensembles.crystal_regressor",
    "CrystalClassifier": "ensembles.crystal_classifier",
    "CloudRegressor": "estimators.regressor",
    "CloudClassifier": "estimators.classifier",
    "CloudEmbedder": "estimators.embedder",
    "GraphRegressor": "estimators.graph_regressor",
    "GraphClassifier": "estimators.graph_regressor",
    "save_model": "estimators.folders",
    "load_model": "estimators.folders",
    "export_onnx": "estimators.onnx_files",
    "ModelFolderError": "exceptions",
}

__all__ = ["__version__", *_HOMES]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
