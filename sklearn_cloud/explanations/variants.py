"""Changed copies of a crystal: other elements, one site, displaced atoms, a larger cell."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ..crystals.crystal import ELEMENT_RANK, Crystal, Formula
from ..symmetry.search import equivalent_sites, find_symmetry
from ..wording import percent

DISPLACEMENT = 0.15  # angstrom; more than symprec, so that no symmetry is left
N_DISPLACED = 3
EXPANSION = 1.05  # of the volume


class Variant(NamedTuple):
    """A crystal with one change.

    Attributes
    ----------
    kind : {"element", "site", "symmetry", "cell"}
    name : str
        What was changed: ``O``, ``3c O``, ``space group P m -3 m (221)``, ``volume``.
    instead : str
        What is there instead.
    crystal : Crystal or Formula
    """

    kind: str
    name: str
    instead: str
    crystal: object


@lru_cache(maxsize=1)
def _columns():
    """Return the groups of the periodic table; lanthanoids and actinoids are two more."""
    from pymatgen.core import Element

    columns = {}
    for element in map(Element.from_Z, range(1, 104)):
        row = "lanthanoid" if element.is_lanthanoid else "actinoid" if element.is_actinoid else None
        columns.setdefault(row or element.group, []).append(element.symbol)
    return columns


def similar_elements(element):
    """Return the neighbours of an element in its group of the periodic table.

    Parameters
    ----------
    element : str

    Returns
    -------
    list of str
        One or two: those above and below; for lanthanoids and actinoids, left and right. None
        beyond lawrencium.
    """
    column = next((one for one in _columns().values() if element in one), [element])
    place = column.index(element)
    return column[max(place - 1, 0) : place] + column[place + 1 : place + 2]


def space_group_name(number):
    """Return ``P m -3 m (221)``."""
    from moyopy import SpaceGroupType

    return f"{SpaceGroupType(number).hm_short} ({number})"


def make_variants(crystal, *, substitutes=None, symprec=0.1, random_state=0):
    """Return the changed copies of a crystal.

    Parameters
    ----------
    crystal : Crystal or Formula
        A formula has only other elements.
    substitutes : dict of str to sequence of str, default=None
        Elements to put in place of each element; `similar_elements` for those that are not in it.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    random_state : int, default=0
        Seed of the displacements.

    Returns
    -------
    list of Variant

    Raises
    ------
    ValueError
        If a substitute is not an element.
    """
    _check_substitutes(substitutes or {})
    chosen = {
        element: tuple((substitutes or {}).get(element, similar_elements(element)))
        for element in crystal.composition
    }
    variants = [
        Variant("element", element, other, replace_element(crystal, element, other))
        for element, others in chosen.items()
        for other in others
    ]
    if isinstance(crystal, Formula):
        return variants
    symmetry = find_symmetry(crystal, symprec=symprec)
    orbit_of_site = np.array(equivalent_sites(crystal, symprec=symprec))
    for orbit, site in zip(symmetry.orbits, symmetry.sites, strict=True):
        sites = np.flatnonzero(orbit_of_site == orbit_of_site[site])
        for element in orbit.elements:
            changed = [(o, replace_element(crystal, element, o, sites)) for o in chosen[element]]
            name = f"{orbit.position} {element}"
            variants += [Variant("site", name, other, one) for other, one in changed]
    name = f"space group {space_group_name(symmetry.number)}"
    rng = np.random.RandomState(random_state)
    variants += [
        Variant("symmetry", name, f"none (atoms moved by {DISPLACEMENT} Å)", displace(crystal, rng))
        for _ in range(N_DISPLACED)
    ]
    larger = crystal._replace(lattice=crystal.lattice * EXPANSION ** (1 / 3))
    return [*variants, Variant("cell", "volume", f"one {percent(EXPANSION - 1)} larger", larger)]


def _check_substitutes(substitutes):
    for element, others in substitutes.items():
        if isinstance(others, str) or not all(other in ELEMENT_RANK for other in others):
            raise ValueError(
                f"the substitutes of {element!r} must be a list of elements, got {others!r}."
            )


def replace_element(crystal, element, other, sites=None):
    """Return the crystal with another element in place of one.

    Parameters
    ----------
    crystal : Crystal or Formula
    element, other : str
    sites : ndarray of int, default=None
        Only on these sites; None means everywhere.

    Returns
    -------
    Crystal or Formula
    """
    if isinstance(crystal, Formula):
        return Formula(_rename(crystal.amounts, element, other))
    species, kinds = list(crystal.species), crystal.kinds.copy()
    mask = np.ones(len(kinds), dtype=bool)
    if sites is not None:
        mask = np.isin(np.arange(len(kinds)), sites)
    for kind, content in enumerate(crystal.species):
        renamed = _rename(content, element, other)
        if renamed == content:
            continue
        if renamed not in species:
            species.append(renamed)
        kinds[mask & (crystal.kinds == kind)] = species.index(renamed)
    used = sorted(set(kinds.tolist()))
    return Crystal(
        crystal.lattice,
        crystal.positions,
        np.searchsorted(used, kinds),
        tuple(species[kind] for kind in used),
    )


def _rename(amounts, element, other):
    """Return ((element, amount), ...) under the new name, sorted by it."""
    joined = {}
    for name, amount in amounts:
        name = other if name == element else name
        joined[name] = joined.get(name, 0.0) + amount
    return tuple(sorted(joined.items()))


def displace(crystal, rng):
    """Return the crystal with every atom moved by `DISPLACEMENT` in a random direction."""
    moves = rng.normal(size=crystal.positions.shape)
    moves *= DISPLACEMENT / np.linalg.norm(moves, axis=1, keepdims=True)
    return crystal._replace(positions=crystal.positions + moves @ np.linalg.inv(crystal.lattice))
