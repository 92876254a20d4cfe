"""Symmetry strings of crystals."""

from .generators import generator_operations, generator_string, space_group_number
from .parsing import parse_string
from .string_tables import write_strings
from .strings import SymmetryString, symmetry_string
from .wyckoff import Orbit, canonical_orbits, wyckoff_positions

__all__ = [
    "Orbit",
    "SymmetryString",
    "canonical_orbits",
    "generator_operations",
    "generator_string",
    "parse_string",
    "space_group_number",
    "symmetry_string",
    "write_strings",
    "wyckoff_positions",
]
