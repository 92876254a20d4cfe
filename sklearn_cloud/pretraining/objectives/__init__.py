"""What an encoder learns in pre-training, one objective a module.

An objective is a module with the heads that it needs. It takes the hidden states of the encoder
and the batch, and returns its losses by name.
"""

from .geometry_heads import Geometry
from .masked_tokens import MaskedTokens

__all__ = ["Geometry", "MaskedTokens"]
