"""How the loss falls with the size of the model and of its training data."""

from .law import ScalingLaw

__all__ = ["ScalingLaw"]
