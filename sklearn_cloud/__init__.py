"""CLOUD, the crystal foundation model, as scikit-learn estimators."""

from importlib import import_module

from ._version import __version__

# The estimators bring scikit-learn and torch: each name is imported when it is first used.
_HOME = {
    "SymmetryStringTransformer": "symmetry.transformer",
    "symmetry_string": "symmetry.strings",
    "parse_string": "symmetry.parsing",
    "CloudRegressor": "estimators.regressor",
    "CloudClassifier": "estimators.classifier",
    "CloudEmbedder": "estimators.embedder",
    "save_model": "estimators.folders",
    "load_model": "estimators.folders",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'sklearn_cloud' has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__():
    return sorted({*globals(), *_HOME})
