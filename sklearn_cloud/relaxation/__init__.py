"""Relaxation of crystals without forces."""

from ..lazy import lazy_names

_HOMES = {"BowsrRelaxer": "bowsr"}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
