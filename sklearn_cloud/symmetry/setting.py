"""Standard setting of a crystal, the same for all equivalent descriptions.

A symmetry finder decides within a tolerance, and for a few crystals in ten thousand its decision
depends on the order of the sites, the origin and the cell. Therefore a crystal is transformed to a
setting that depends on the crystal alone before its symmetry is searched.
"""

import numpy as np

from ..crystals.cells import moyopy_cell, niggli_cell
from ..crystals.crystal import Crystal

_DECAY = 2.0  # angstrom: decay length of the weight of a neighbour
_DIGITS = 6  # distances that agree to a micro-angstrom are equal, except for rounding
_MOST_PAIRS = 1_000_000  # pairs of sites computed at a time
_EXACT = 1e-3  # angstrom: within this, a repetition is the same cell


def standard_setting(crystal):
    """Return a crystal in its reduced cell, with one of its rarest atoms as origin.

    Parameters
    ----------
    crystal : Crystal

    Returns
    -------
    crystal : Crystal
        The same crystal: Niggli-reduced cell, a site of the rarest kind as origin, the sites
        sorted by their distance from it.
    order : ndarray of shape (n_sites,)
        Index of each of its sites in the input crystal.

    Notes
    -----
    The origin is the site of the rarest kind with the fewest and farthest neighbours. Sites that
    tie are equivalent by symmetry, so any of them can be taken.
    """
    species = sorted(range(len(crystal.species)), key=crystal.species.__getitem__)
    rank = np.empty(len(species), dtype=np.int32)
    rank[species] = np.arange(len(species), dtype=np.int32)
    kinds = rank[crystal.kinds]
    counts = np.bincount(kinds)
    origins = np.flatnonzero(kinds == np.where(counts, counts, len(kinds) + 1).argmin())

    basis = niggli_cell(crystal.lattice)
    positions = crystal.positions @ (crystal.lattice @ np.linalg.inv(basis))
    origin = _choose_origin(positions, origins, basis, 1.0 + kinds)
    offsets = positions - positions[origin]
    offsets -= np.rint(offsets)
    order = np.lexsort((kinds, _lengths(offsets @ basis).round(_DIGITS)))
    species = tuple([crystal.species[kind] for kind in species])
    setting = Crystal(basis, offsets[order], kinds[order], species)
    return setting, order


def _lengths(vectors):
    """Lengths of vectors along the last axis; numpy is slow to sum over so short a one."""
    squares = np.square(vectors)
    return np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2])


def _first_of_each(positions, kinds, lattice):
    """Return the indices of sites that do not repeat an earlier one, in a smaller cell."""
    size = max(1, _MOST_PAIRS // len(positions))
    first = []
    for start in range(0, len(positions), size):
        part = slice(start, start + size)
        offsets = positions.T[:, part, None] - positions.T[:, None]
        offsets -= np.rint(offsets)
        squares = np.square(lattice.T @ offsets.reshape(3, -1)).sum(axis=0)
        near = squares.reshape(offsets.shape[1:]) < (2 * _EXACT) ** 2
        first.append((near & (kinds[part, None] == kinds)).argmax(axis=1))
    return np.unique(np.concatenate(first))


def _choose_origin(positions, origins, basis, weights):
    """Of the sites `origins` the one with the fewest and farthest neighbours."""
    if len(origins) == 1:
        return origins[0]
    size = max(1, _MOST_PAIRS // len(positions))  # at a time: memory grows with the sites alone
    crowded = []
    for start in range(0, len(origins), size):
        offsets = positions - positions[origins[start : start + size], None]
        offsets -= np.rint(offsets)
        crowded.append(np.exp(_lengths(offsets @ basis) / -_DECAY) @ weights)
    return origins[np.concatenate(crowded).argmin()]


def primitive_setting(crystal, order):
    """Return a crystal in its primitive cell, if it repeats exactly.

    A finder may decide differently about two cells of the same crystal. Repetitions that are only
    valid within the tolerance of the search are not reduced.

    Parameters
    ----------
    crystal : Crystal
        In the standard setting.
    order : ndarray of shape (n_sites,)
        As returned by `standard_setting`; it is passed on for the sites that are kept.

    Returns
    -------
    (crystal, order) as from `standard_setting`, or None if the cell is primitive
    """
    import moyopy

    try:
        found = moyopy.MoyoDataset(moyopy_cell(crystal), symprec=_EXACT)
    except ValueError:
        return None  # no symmetry within such a narrow tolerance
    repeated = len(crystal.kinds) // (max(found.mapping_std_prim) + 1)
    if repeated == 1:
        return None
    basis = np.rint(np.array(found.prim_std_linear).T * repeated) / repeated
    lattice = basis @ crystal.lattice
    positions = crystal.positions @ np.linalg.inv(basis)
    kept = _first_of_each(positions, crystal.kinds, lattice)
    if len(kept) * repeated != len(crystal.kinds):
        return None
    primitive = crystal._replace(
        lattice=lattice, positions=positions[kept], kinds=crystal.kinds[kept]
    )
    setting, inner = standard_setting(primitive)
    return setting, order[kept[inner]]
