"""Other systems behind the same API, to compare with."""

from .composition import ElementFractions

__all__ = ["ElementFractions"]
