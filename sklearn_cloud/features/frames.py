"""What is asked of a potential and what it answers."""

from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """One arrangement of atoms whose forces are asked for.

    Attributes
    ----------
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom.
    positions : ndarray of shape (n, 3)
        Fractional coordinates.
    numbers : ndarray of shape (n,), int
        Atomic numbers.
    """

    lattice: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray


class Response(NamedTuple):
    """What a potential says of one frame.

    Attributes
    ----------
    energy : float
        Of the cell, in eV.
    forces : ndarray of shape (n, 3)
        In eV per angstrom.
    stress : ndarray of shape (3, 3)
        Derivative of the energy by the strain per volume, in eV per cubic angstrom; positive
        under tension.
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray


def frames_of(crystals, numbers):
    """Frames of ordered crystals.

    Parameters
    ----------
    crystals : list of Crystal
    numbers : dict of str to int
        Atomic numbers of the elements.
    """
    kinds = [np.array([numbers[species[0][0]] for species in c.species]) for c in crystals]
    return [
        Frame(c.lattice, c.positions, atoms[c.kinds])
        for c, atoms in zip(crystals, kinds, strict=True)
    ]
