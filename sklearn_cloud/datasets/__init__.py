"""Crystals with properties: your own, an example table of the package, and benchmarks."""

from ..downloads import get_data_home
from .crystal_table import describe_crystals
from .discovery import fetch_discovery
from .example import load_example
from .matbench import fetch_matbench, list_matbench
from .optimade import OPTIMADE_PROVIDERS, fetch_optimade, read_optimade
from .own_crystals import read_crystals
from .unconventional import fetch_unconventional, list_unconventional

__all__ = [
    "OPTIMADE_PROVIDERS",
    "describe_crystals",
    "fetch_discovery",
    "fetch_matbench",
    "fetch_optimade",
    "fetch_unconventional",
    "get_data_home",
    "list_matbench",
    "list_unconventional",
    "load_example",
    "read_crystals",
    "read_optimade",
]
