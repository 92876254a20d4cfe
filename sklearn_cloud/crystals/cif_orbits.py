"""All atoms of the cell, from the atoms listed in a file."""

import numpy as np

_SAME = 0.05  # angstrom: images closer than this are one atom
_ROUNDED = 0.5  # angstrom: images further apart are two atoms, with any number of digits
_ROUNDS = 4


def expand_positions(positions, operators, lattice, unit):
    """Return all atoms of the cell, from one of each orbit.

    Coordinates are rounded, so an atom is not exactly on its special position: images that
    coincide within the rounding are one atom, at their mean.

    Parameters
    ----------
    positions : ndarray of shape (n, 3)
        Fractional coordinates.
    operators : Operators
    lattice : ndarray of shape (3, 3)
    unit : float
        Largest error of a coordinate.

    Returns
    -------
    positions : ndarray of shape (n_all, 3)
    owners : ndarray of shape (n_all,), int
        Index of the listed atom that each atom comes from.
    """
    rotations, translations = operators.rotations, operators.translations
    if len(rotations) == 1:
        return positions, np.arange(len(positions))
    slack = unit * np.abs(rotations - np.eye(3)).sum(axis=2)
    positions, fixed = _to_special_positions(positions, operators, lattice, slack)
    images = positions @ rotations.transpose(0, 2, 1) + translations[:, None]  # (op, site, 3)
    images = images.swapaxes(0, 1)
    found, owners = [], []
    for site, several in enumerate(images):
        distinct = several if fixed[site] == 1 else _distinct(several, lattice)
        found.append(distinct)
        owners.append(np.full(len(distinct), site))
    return np.concatenate(found), np.concatenate(owners)


def _to_special_positions(positions, operators, lattice, slack):
    """Move positions to the mean of their nearly coincident images; also count these images."""
    fixed = None
    for _ in range(_ROUNDS):
        images = np.einsum("oij,sj->soi", operators.rotations, positions) + operators.translations
        offsets = images - positions[:, None]
        offsets -= np.rint(offsets)
        distances = np.linalg.norm(offsets @ lattice, axis=2)
        near = (np.abs(offsets) <= slack + 1e-9).all(axis=2) & (distances < _ROUNDED)
        near |= distances < _SAME
        near[:, 0] |= ~near.any(axis=1)
        counts = near.sum(axis=1)
        positions = positions + (offsets * near[:, :, None]).sum(axis=1) / counts[:, None]
        if fixed is not None and (counts == fixed).all():
            break
        fixed = counts
    return positions, counts


def _distinct(images, lattice):
    offsets = images[:, None] - images
    offsets -= np.rint(offsets)
    near = np.square(offsets @ lattice).sum(axis=2) < _SAME**2
    return images[np.unique(near.argmax(axis=1))]
