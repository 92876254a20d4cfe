"""Crystals that tests of several folders share, as a fixture."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="session")
def crystals():
    """Crystals whose Wyckoff letters depend on origin and cell, by name."""
    hexagonal = Lattice.hexagonal(3.82, 6.26)
    rutile = Lattice.tetragonal(4.594, 2.959)
    return {
        "rock salt": Structure.from_spacegroup(
            225, Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
        ),
        "perovskite": Structure(
            Lattice.cubic(3.905),
            ["Sr", "Ti", "O", "O", "O"],
            [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]],
        ),
        "half-Heusler": Structure.from_spacegroup(
            216,
            Lattice.cubic(6.11),
            ["Zr", "Ni", "Sn"],
            [[0, 0, 0], [0.25, 0.25, 0.25], [0.5, 0.5, 0.5]],
        ),
        "rutile": Structure(
            rutile,
            ["Ti", "Ti", "O", "O", "O", "O"],
            [
                [0, 0, 0],
                [0.5, 0.5, 0.5],
                [0.305, 0.305, 0],
                [0.695, 0.695, 0],
                [0.195, 0.805, 0.5],
                [0.805, 0.195, 0.5],
            ],
        ),
        "wurtzite": Structure(
            hexagonal,
            ["Zn", "Zn", "S", "S"],
            [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.375], [2 / 3, 1 / 3, 0.875]],
        ),
        "triclinic": Structure(
            Lattice.from_parameters(4.1, 5.3, 6.7, 81, 97, 103),
            ["Ca", "Mg", "O", "O", "F", "F"],
            [
                [0, 0.5, 0],
                [0.5, 0.5, 0.5],
                [0.13, 0.22, 0.71],
                [0.87, 0.78, 0.29],
                [0.41, 0.13, 0.34],
                [0.59, 0.87, 0.66],
            ],
        ),
    }


@pytest.fixture
def rng():
    return np.random.default_rng(0)
