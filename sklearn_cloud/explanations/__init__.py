"""Explain predictions: attributions to the tokens of a string, and attention."""

from .attention import AttentionMap, attention_map
from .attributions import Explanation, explain_prediction
from .datasets import explain_dataset

__all__ = [
    "AttentionMap",
    "Explanation",
    "attention_map",
    "explain_dataset",
    "explain_prediction",
]
