"""Limits on the size of a crystal, beyond which a symmetry search takes hours or all memory.

All real crystals are within these limits. Outside are missing decimal points, cells in other
units, and files that are not crystals. Within them a search may still be endless; it gets a limit
on its time.
"""

import math

import numpy as np

from .errors import CrystalError

LARGEST_LENGTH = 1000.0  # angstrom, of a cell vector
SMALLEST_LENGTH = 0.5  # angstrom, of the shortest vector of the lattice
SMALLEST_VOLUME = 0.5  # cubic angstrom per site
LARGEST_VOLUME = 1e5  # cubic angstrom per site
MOST_SITES = 8_000  # more take minutes, and over 2 GB for a perfect supercell
MOST_CHARACTERS = 1_000  # of a formula
LARGEST_FILE = 100_000_000  # bytes
SEARCH_SECONDS = 10.0  # of a symmetry search that may be slow
SEARCH_SECONDS_PER_SITE = 0.03  # in addition; a perfect supercell of 8,000 atoms takes 100 s
SEARCH_MEMORY = 4 * 2**30  # bytes, of a symmetry search that may be slow (on Linux)

_LONG = 3.0  # less elongated cells have no shear that small
_MANY_SITES = 500  # searches of larger cells take more than 0.1 s
_WIDE = 100.0  # of 2,500 random cells with a shear below this times symprec**2, 1 % are endless


def check_cell(lattice, volume, n_sites):
    """Raise an error if the size of a cell is impossible for a crystal.

    Parameters
    ----------
    lattice : ndarray of shape (3, 3)
        Cell vectors as rows, in angstrom; finite.
    volume : float
        In cubic angstrom.
    n_sites : int

    Raises
    ------
    CrystalError
        If a length or the volume per site is outside the limits, or there are too many sites.
    """
    if n_sites > MOST_SITES:
        raise CrystalError(
            f"the crystal has {n_sites} sites, more than {MOST_SITES}; pass a smaller cell"
        )
    lengths = [math.hypot(*vector) for vector in lattice.tolist()]
    if not SMALLEST_LENGTH <= min(lengths) <= max(lengths) <= LARGEST_LENGTH:
        raise CrystalError(
            f"the cell vectors are {_join(lengths)} angstrom long; they must be between "
            f"{SMALLEST_LENGTH:g} and {LARGEST_LENGTH:g}: check the units and decimal points"
        )
    if not SMALLEST_VOLUME <= volume / n_sites <= LARGEST_VOLUME:
        raise CrystalError(
            f"the cell has {volume / n_sites:.3g} cubic angstrom per site; it must be between "
            f"{SMALLEST_VOLUME:g} and {LARGEST_VOLUME:g}: check the units and decimal points"
        )


def check_tolerances(lattice, symprec, angle_tolerance=None):
    """Raise an error if a sheared lattice equals the original one within the tolerances.

    Adding a short cell vector to a long one changes its length and angles little. If the change is
    within the tolerances, the symmetry finders take the shear for a symmetry operation, search
    the infinite group that it generates, and do not return.

    Parameters
    ----------
    lattice : ndarray of shape (3, 3)
        Reduced cell vectors as rows, in angstrom.
    symprec : float
        In angstrom.
    angle_tolerance : float, default=None
        In degrees.

    Raises
    ------
    CrystalError
        If there is such a shear.
    """
    lengths = [math.hypot(*vector) for vector in lattice.tolist()]
    if max(lengths) < _LONG * min(lengths):
        return
    for axis, length in enumerate(lengths):
        shifts = np.delete(lattice, axis, axis=0)
        shifts = np.concatenate([shifts, -shifts, [shifts[0] + shifts[1], shifts[0] - shifts[1]]])
        sizes = np.linalg.norm(shifts, axis=1)
        changes = np.abs(np.linalg.norm(lattice[axis] + shifts, axis=1) - length)
        if angle_tolerance is None:
            small = sizes**3 / length < 2 * symprec**2
        else:
            small = np.degrees(sizes / length) < 2 * angle_tolerance
        if (small & (changes < symprec)).any():
            other = "" if angle_tolerance is None else " or angle_tolerance=None"
            raise CrystalError(
                f"a cell of {_join(lengths)} angstrom is too long and thin for "
                f"symprec={symprec:g}: use a smaller symprec{other}"
            )


def may_be_slow(lattice, n_sites, symprec, angle_tolerance=None):
    """Whether the symmetry search of a crystal may take more than a second.

    Parameters
    ----------
    lattice : ndarray of shape (3, 3)
        Reduced cell vectors as rows, in angstrom.
    n_sites : int
    symprec : float
        In angstrom.
    angle_tolerance : float, default=None
        In degrees.

    Returns
    -------
    bool
        False for nearly all real crystals at usual tolerances.
    """
    if angle_tolerance is not None or n_sites > _MANY_SITES:
        return True
    lengths = [math.hypot(*vector) for vector in lattice.tolist()]
    return min(lengths) ** 3 < _WIDE * symprec**2 * max(lengths)


def longest_search(n_sites):
    """Return the seconds after which a symmetry search that may be slow is ended."""
    return SEARCH_SECONDS + SEARCH_SECONDS_PER_SITE * n_sites


def _join(lengths):
    return ", ".join(f"{length:.4g}" for length in lengths)
