"""Anything people have, read into distinct and checked crystals."""

from .crystal import Crystal, Formula
from .errors import CrystalError
from .items import as_items
from .reading import read_crystal

__all__ = ["Crystal", "CrystalError", "Formula", "as_items", "read_crystal"]
