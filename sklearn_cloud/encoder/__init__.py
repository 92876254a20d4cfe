"""Vocabulary, encoder and checkpoints for symmetry strings.

The tokenizer and the configuration are plain Python. Names that need torch are imported at first
use.
"""

from ..lazy import lazy_names
from .config import ENCODER_SIZES, EncoderConfig
from .tokenizer import SymmetryTokenizer

_HOMES = {
    "Checkpoint": "checkpoints",
    "load_encoder": "checkpoints",
    "save_encoder": "checkpoints",
    "CloudModule": "model",
    "OriginalTokenizer": "original_format",
    "build_encoder": "model",
    "cls_vectors": "model",
    "mean_vectors": "model",
}

__all__ = ["ENCODER_SIZES", "EncoderConfig", "SymmetryTokenizer", *sorted(_HOMES)]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
