"""Find the space group and the occupied Wyckoff positions of crystals."""

import math
from typing import NamedTuple

import numpy as np

from ..crystals.cells import (
    SYMPREC_SHARES,
    ask_spglib,
    limited,
    moyopy_cell,
    niggli_cell,
    quieten_moyopy,
)
from ..crystals.errors import CrystalError
from ..crystals.limits import check_tolerances, longest_search, may_be_slow
from ..crystals.time_limit import within_limit
from .setting import primitive_setting, standard_setting
from .wyckoff import Orbit, by_rank, ranks, relabel

BACKENDS = ("moyopy", "spglib")


class Symmetry(NamedTuple):
    """Symmetry of a crystal.

    Attributes
    ----------
    number : int
        Space group.
    orbits : list of Orbit
        In canonical form, see `canonical_orbits`.
    sites : list of int
        Index of one site of each orbit.
    lattice : ndarray of shape (3, 3)
        Vectors of a primitive cell as rows, in angstrom.
    n_primitive : int
        Sites in that cell.
    """

    number: int
    orbits: list
    sites: list
    lattice: np.ndarray
    n_primitive: int


class Finding(NamedTuple):
    """Result of a symmetry finder for its input sites.

    Attributes
    ----------
    number : int
        Space group.
    letters : list of str
        Wyckoff letter of each site.
    orbits : list of int
        For each site, the first site of its orbit.
    lattice : ndarray of shape (3, 3)
        Vectors of a primitive cell as rows, in angstrom.
    n_primitive : int
        Sites in that cell.
    """

    number: int
    letters: list
    orbits: list
    lattice: np.ndarray
    n_primitive: int


def find_symmetry(crystal, *, symprec, angle_tolerance=None, backend="moyopy"):
    """Find the symmetry of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Distance within which sites count as equivalent, in angstrom.
    angle_tolerance : float, default=None
        Tolerance on angles between cell vectors, in degrees; None derives it from `symprec`.
    backend : {"moyopy", "spglib"}, default="moyopy"

    Returns
    -------
    Symmetry

    Raises
    ------
    CrystalError
        If no space group is found, not even P1, or the search takes too long (`longest_search`).
    """
    (found,) = find_symmetries([crystal], symprec, angle_tolerance, backend)
    if isinstance(found, ValueError):
        raise found
    return found


def find_symmetries(crystals, symprec, angle_tolerance=None, backend="moyopy"):
    """Return `find_symmetry` of several crystals, or the ValueError of those that fail.

    Each step is done for all crystals before the next one: with the code in the processor's
    caches this is about a fifth faster.
    """
    found = search_settings(crystals, symprec, angle_tolerance, backend)
    return [one if isinstance(one, ValueError) else _label(*one) for one in found]


def search_settings(crystals, symprec, angle_tolerance=None, backend="moyopy"):
    """Search the symmetry of crystals in their standard settings.

    Parameters
    ----------
    crystals : list of Crystal
    symprec, angle_tolerance, backend
        As for `find_symmetry`.

    Returns
    -------
    list of (Finding, Crystal, ndarray) or ValueError
        What the finder says of each crystal, the crystal in its standard setting, and the index of
        each site of that in the original; or why there is none.
    """
    options = symprec, angle_tolerance, backend
    found = [_or_error(standard_setting, crystal) for crystal in crystals]
    quick = []
    for i, setting in enumerate(found):
        if isinstance(setting, ValueError):
            continue
        n_sites = len(setting[1])
        if may_be_slow(setting[0].lattice, n_sites, symprec, angle_tolerance):
            found[i] = _or_error(_search_slowly, setting, options, longest_search(n_sites))
        else:
            quick.append(i)
    for i, one in zip(quick, _search([found[i] for i in quick], *options), strict=True):
        found[i] = one
    return found


def _search_slowly(setting, options, seconds):
    """Return the result of `_search` for one crystal, if it is there in time."""
    (found,) = within_limit(_search, [setting], *options, seconds=seconds)
    return found


def _search(settings, symprec, angle_tolerance, backend):
    """Return what the finder says, or the error, of crystals in the standard setting."""
    finder = _search_moyopy if backend == "moyopy" else _search_spglib

    def search(setting):
        return _search_with(finder, setting[0], symprec, angle_tolerance)

    settings = list(settings)
    found = [search(setting) for setting in settings]
    for i, finding in enumerate(found):
        if isinstance(finding, Finding) and finding.n_primitive < len(finding.orbits):
            primitive = _or_error(primitive_setting, *settings[i])
            if isinstance(primitive, ValueError):
                found[i] = primitive
            elif primitive is not None:
                settings[i], found[i] = primitive, search(primitive)
    return [
        finding if isinstance(finding, ValueError) else (finding, *setting)
        for finding, setting in zip(found, settings, strict=True)
    ]


def equivalent_sites(crystal, *, symprec):
    """Return the first equivalent site of each site of a crystal.

    Parameters
    ----------
    crystal : Crystal
    symprec : float
        Distance within which sites count as equivalent, in angstrom.

    Returns
    -------
    list of int

    Raises
    ------
    CrystalError
        As `find_symmetry`.
    """
    size = niggli_cell(crystal.lattice), len(crystal.kinds)
    search = _search_with, _search_moyopy, crystal, symprec, None
    found = limited(size, symprec, *search)
    if isinstance(found, ValueError):
        raise found
    return found.orbits


def _or_error(function, *arguments):
    """Return the result of the function, or the ValueError that it raises."""
    try:
        return function(*arguments)
    except ValueError as error:
        return error


def _search_with(finder, crystal, symprec, angle_tolerance):
    """Return the result of the finder at the widest tolerance that works, or a CrystalError."""
    for share in SYMPREC_SHARES:
        try:
            check_tolerances(crystal.lattice, share * symprec, angle_tolerance)
            return finder(crystal, share * symprec, angle_tolerance)
        except ValueError as error:
            failure = error
    return CrystalError(
        f"no space group found at symprec={symprec} ({failure}); try a smaller symprec or the "
        f"other backend"
    )


def _label(finding, crystal, order):
    """Return the symmetry with canonical orbits; ``order`` is that of the original sites."""
    sites = [site for site, first in enumerate(finding.orbits) if site == first]
    elements = [by_rank(tuple(element for element, _ in held)) for held in crystal.species]
    ranked = [ranks(held) for held in elements]
    kinds, letters, order = crystal.kinds.tolist(), finding.letters, order.tolist()
    relabeled = relabel(
        finding.number,
        [letters[site] for site in sites],
        [ranked[kinds[site]] for site in sites],
    )
    orbits = [Orbit(position, elements[kinds[sites[i]]]) for position, i in relabeled]
    sites = [order[sites[i]] for _, i in relabeled]
    return Symmetry(finding.number, orbits, sites, finding.lattice, finding.n_primitive)


def _search_moyopy(crystal, symprec, angle_tolerance):
    import moyopy

    quieten_moyopy()
    radians = None if angle_tolerance is None else math.radians(angle_tolerance)
    found = moyopy.MoyoDataset(moyopy_cell(crystal), symprec=symprec, angle_tolerance=radians)
    n_primitive = max(found.mapping_std_prim) + 1
    lattice = np.array(found.prim_std_cell.basis)
    return Finding(found.number, found.wyckoffs, found.orbits, lattice, n_primitive)


def _search_spglib(crystal, symprec, angle_tolerance):
    import spglib

    cell = (crystal.lattice, crystal.positions, crystal.kinds + 1)
    degrees = -1.0 if angle_tolerance is None else angle_tolerance
    tolerances = {"symprec": symprec, "angle_tolerance": degrees}
    found = ask_spglib(spglib.get_symmetry_dataset, cell, **tolerances)
    n_primitive = int(found.mapping_to_primitive.max()) + 1
    orbits = found.crystallographic_orbits.tolist()
    lattice = found.primitive_lattice
    return Finding(found.number, found.wyckoffs, orbits, lattice, n_primitive)
