"""Explain predictions: by elements, sites and symmetry, by tokens, and by similar crystals."""

from .attention import AttentionMap, attention_map
from .attributions import Explanation, explain_prediction
from .crystals_explained import CrystalExplanation, explain_crystal, explain_crystals
from .datasets import explain_dataset
from .nearest import nearest_crystals

__all__ = [
    "AttentionMap",
    "CrystalExplanation",
    "Explanation",
    "attention_map",
    "explain_crystal",
    "explain_crystals",
    "explain_dataset",
    "explain_prediction",
    "nearest_crystals",
]
