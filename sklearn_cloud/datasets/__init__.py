"""Crystals with properties: an example table that ships with the package, and benchmarks."""

from ._download import get_data_home
from ._example import load_example
from .matbench import fetch_matbench, list_matbench

__all__ = ["fetch_matbench", "get_data_home", "list_matbench", "load_example"]
