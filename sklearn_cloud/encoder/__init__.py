"""Symmetry strings to vectors: vocabulary, encoder and checkpoints.

The tokenizer and the configuration are plain Python. What needs torch is imported when it is
first asked for.
"""

from importlib import import_module

from .config import ENCODER_SIZES, EncoderConfig
from .tokenizer import SymmetryTokenizer

_LAZY = {
    "Checkpoint": "checkpoints",
    "load_encoder": "checkpoints",
    "save_encoder": "checkpoints",
    "CloudModule": "model",
    "OriginalTokenizer": "original_format",
    "build_encoder": "model",
    "cls_vectors": "model",
    "mean_vectors": "model",
}

__all__ = ["ENCODER_SIZES", "EncoderConfig", "SymmetryTokenizer", *sorted(_LAZY)]


def __getattr__(name):
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
