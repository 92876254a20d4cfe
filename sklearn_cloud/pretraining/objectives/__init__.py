"""Objectives of pre-training, one per module.

An objective is a torch module with its own heads. It takes the hidden states of the encoder and the
batch, and returns its losses by name.
"""

from .geometry_heads import Geometry
from .masked_tokens import MaskedTokens

__all__ = ["Geometry", "MaskedTokens"]
