"""Size, shape and distances of a crystal, as a few numbers.

Pre-training uses `describe_geometry` as self-supervised targets: to predict them from strings, an
encoder learns sizes and distances. `geometry_numbers` are optional inputs next to the strings.
"""

import numpy as np

from .cells import cell_shape, niggli_cell, primitive_cell
from .neighbours import cell_points, find_neighbours, nearest_distances

#: Names of the numbers that `describe_geometry` returns.
GEOMETRY = (
    "log volume per atom",
    "log density",
    "log b/a",
    "log c/a",
    "cos alpha",
    "cos beta",
    "cos gamma",
    "log shortest distance",
    "log mean nearest-neighbour distance",
    "log coordination number",
)
_CUTOFFS = (4.0, 7.0, 12.0, 25.0)  # angstrom
_SHELL = 1.2  # neighbours within this factor of the nearest one are counted as coordinated
DALTON = 1.66053906660  # g/cm3 of one dalton per cubic angstrom


def describe_geometry(crystal, symprec):
    """Return size, shape and distances of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Tolerance of the reduction to a primitive cell, in angstrom.

    Returns
    -------
    numbers : ndarray of shape (10,), float32
        In the order of `GEOMETRY`; natural logarithms of angstrom, cubic angstrom and g/cm3. The
        cell is the Niggli-reduced primitive one, a <= b <= c.
    nearest : ndarray of shape (n_sites,), float32
        Natural logarithm of the distance of each site to its nearest neighbour (angstrom).

    Raises
    ------
    ValueError
        If a site has no neighbour within 20.8 angstrom, or the cell cannot be reduced.
    """
    volume = abs(np.linalg.det(crystal.lattice)) / len(crystal.kinds)
    lengths, cosines = cell_shape(primitive_cell(crystal, symprec)[0])
    nearest, coordination = _coordination(crystal)
    numbers = [
        np.log(volume),
        np.log(mass(crystal) * DALTON / (volume * len(crystal.kinds))),
        np.log(lengths[1] / lengths[0]),
        np.log(lengths[2] / lengths[0]),
        *cosines,
        np.log(nearest.min()),
        np.log(nearest.mean()),
        np.log(coordination.mean()),
    ]
    return np.array(numbers, dtype=np.float32), np.log(nearest).astype(np.float32)


#: Names of the numbers that `geometry_numbers` returns.
NUMBERS = (
    "log volume per site",
    "log density",
    "log sites",
    "log b/a",
    "log c/a",
    "cos alpha",
    "cos beta",
    "cos gamma",
    "log shortest distance",
    "log mean distance",
    "log longest distance",
    "log orbits",
    "log Wyckoff positions",
)


def geometry_numbers(crystal, symmetry):
    """Return numbers for a network that describe what a symmetry string leaves out.

    Parameters
    ----------
    crystal : Crystal
    symmetry : Symmetry
        Result of `find_symmetry` for the crystal.

    Returns
    -------
    ndarray of shape (13,), float64
        In the order of `NUMBERS`: natural logarithms of angstrom, cubic angstrom, g/cm3 and
        counts; the cell is the Niggli-reduced primitive one, a <= b <= c; the distances are those
        of each site to its nearest neighbour.

    Raises
    ------
    ValueError
        If the cell cannot be reduced.
    """
    lengths, cosines = cell_shape(niggli_cell(symmetry.lattice))
    volume = abs(np.linalg.det(crystal.lattice))
    nearest = nearest_distances(crystal)
    return np.array(
        [
            np.log(volume / len(crystal.kinds)),
            np.log(mass(crystal) * DALTON / volume),
            np.log(symmetry.n_primitive),
            np.log(lengths[1] / lengths[0]),
            np.log(lengths[2] / lengths[0]),
            *cosines,
            np.log(nearest.min()),
            np.log(nearest.mean()),
            np.log(nearest.max()),
            np.log(len(symmetry.orbits)),
            np.log(len({orbit.position for orbit in symmetry.orbits})),
        ]
    )


def mass(crystal):
    """Return the mass of the cell in dalton."""
    from pymatgen.core import Element

    return sum(float(Element(e).atomic_mass) * n for e, n in crystal.composition.items())


def _coordination(crystal):
    """Return nearest-neighbour distance and coordination number of each site."""
    points = cell_points(crystal)
    for cutoff in _CUTOFFS:
        centers, _, _, distances, _ = find_neighbours(points, crystal.lattice, cutoff)
        nearest = np.full(len(points), np.inf)
        np.minimum.at(nearest, centers, distances)
        if (nearest * _SHELL <= cutoff).all():
            near = distances <= _SHELL * nearest[centers]
            return nearest, np.bincount(centers[near], minlength=len(points))
    raise ValueError(f"a site has no neighbour within {_CUTOFFS[-1] / _SHELL:.0f} angstrom")
