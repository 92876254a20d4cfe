"""Read crystals from any source, check them, and find the distinct ones."""

from .crystal import Crystal, Formula
from .errors import CrystalError
from .items import as_items
from .reading import read_crystal

__all__ = ["Crystal", "CrystalError", "Formula", "as_items", "read_crystal"]
