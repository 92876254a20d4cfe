"""Wyckoff positions of a crystal, in a canonical labeling.

A symmetry finder returns Wyckoff letters for its own choice of origin and cell. Another choice in
the same space group permutes the letters (NaCl is 4a 4b either way; in other groups 4a becomes 4b).
The permutations of each group are tabulated; the canonical labeling occupies the earliest letters,
and of ties has the earliest elements.
"""

import json
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np

from ..crystals.crystal import ELEMENT_RANK

_LETTERS = "abcdefghijklmnopqrstuvwxyzA"


class Orbit(NamedTuple):
    """Sites that the space group maps onto each other.

    Attributes
    ----------
    position : str
        Wyckoff symbol: multiplicity in the conventional cell and letter, e.g. `"4a"`.
    elements : tuple of str
        The element on the sites; several if they are disordered.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import Orbit
    >>> Orbit("4a", ("Na",)).position
    '4a'
    """

    position: str
    elements: tuple


@lru_cache
def _table():
    file = resources.files("sklearn_cloud").joinpath("data/wyckoff_positions.json")
    return json.loads(file.read_text())


@lru_cache
def wyckoff_positions(space_group):
    """Return the Wyckoff symbols of a space group, from the most special to the general position.

    Parameters
    ----------
    space_group : int
        Number in International Tables A.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from sklearn_cloud.symmetry import wyckoff_positions
    >>> wyckoff_positions(36)
    ('4a', '8b')
    """
    return tuple(_table()[str(int(space_group))]["positions"])


@lru_cache
def _relabelings(space_group):
    """Return all labelings of a group: row k, column i is the old index of the new letter i."""
    rows = _table()[str(int(space_group))]["relabelings"]
    new_of_old = np.array([[_LETTERS.index(letter) for letter in row] for row in rows])
    return np.argsort(new_of_old, axis=1)


@lru_cache(maxsize=1 << 16)
def _canonical_order(space_group, contents):
    """Return the old index of each new letter; `contents` ranks the letters, 0 if unoccupied."""
    orders = _relabelings(space_group)
    if len(orders) > 1:
        ranks = np.array(contents)[orders]
        # earliest letters occupied first; then, letter by letter, the lowest rank
        columns = np.concatenate([ranks == 0, ranks], axis=1).T
        keep = np.arange(len(orders))
        for column in columns:
            values = column[keep]
            keep = keep[values == values.min()]
            if len(keep) == 1:
                break
        orders = orders[keep]
    return tuple(orders[0].tolist())


def canonical_orbits(space_group, orbits):
    """Relabel the orbits of a crystal independently of origin and cell.

    Parameters
    ----------
    space_group : int
        Number in International Tables A.
    orbits : iterable of (str, iterable of str)
        Wyckoff letter and elements of each orbit, from a symmetry finder.

    Returns
    -------
    list of Orbit
        Sorted by letter, then by elements (in order of electronegativity).

    Raises
    ------
    ValueError
        If the space group has no Wyckoff position of that letter.

    Notes
    -----
    The letters are canonical over the affine normalizer of the space group: of all labelings that a
    change of origin or cell can cause, the one that occupies the earliest letters. The occupied
    letters therefore never depend on the elements.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import canonical_orbits
    >>> canonical_orbits(221, [("b", ["Cs"]), ("a", ["Pb"]), ("d", ["I"])])
    [Orbit(position='1a', elements=('Cs',)), Orbit(position='1b', elements=('Pb',)), \
Orbit(position='3c', elements=('I',))]
    """
    letters, elements = [], []
    for letter, held in orbits:
        letters.append(letter)
        elements.append(by_rank(tuple(held)))
    relabeled = relabel(space_group, letters, [ranks(held) for held in elements])
    return [Orbit(position, elements[i]) for position, i in relabeled]


def by_rank(elements):
    """Sort elements by electronegativity."""
    return elements if len(elements) == 1 else tuple(sorted(elements, key=ELEMENT_RANK.get))


def ranks(elements):
    """Return the ranks of elements in the order of electronegativity, sorted."""
    return sorted(ELEMENT_RANK[element] for element in elements)


def relabel(space_group, letters, ranks):
    """Return sorted (Wyckoff symbol, index of the orbit) in the canonical labeling.

    Parameters
    ----------
    space_group : int
    letters : sequence of str
        Wyckoff letter of each orbit.
    ranks : sequence of list of int
        Ranks of the elements of each orbit.
    """
    symbols = wyckoff_positions(space_group)
    by_letter = {}
    for i, letter in enumerate(letters):
        by_letter.setdefault(letter, []).append((ranks[i], i))
    held, contents = {}, {}
    for letter, content in by_letter.items():
        index = _LETTERS.find(letter)
        if not 0 <= index < len(symbols):
            raise ValueError(f"space group {space_group} has no Wyckoff position {letter!r}")
        content.sort()
        held[index] = content
        contents[index] = [of_orbit for of_orbit, _ in content]
    distinct = sorted(contents.values())
    places = [distinct.index(contents[i]) + 1 if i in contents else 0 for i in range(len(symbols))]
    order = _canonical_order(int(space_group), tuple(places))
    return [
        (symbol, i)
        for symbol, old in zip(symbols, order, strict=True)
        if old in held
        for _, i in held[old]
    ]
