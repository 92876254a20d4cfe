"""Compose the symmetry string of a crystal from its parts."""

import warnings
from numbers import Real
from typing import NamedTuple

from ..crystals.bond_statistics import BOND_NUMBERS, bond_numbers
from ..crystals.crystal import ELEMENT_RANK, Crystal, Formula
from ..crystals.errors import CrystalError
from ..crystals.geometry import NUMBERS, geometry_numbers
from ..crystals.reading import read_crystal
from .generators import generator_string
from .search import BACKENDS, find_symmetries
from .wyckoff import Orbit

PARTS = ("generators", "sites", "composition")
SITES = ("set", "orbits")
#: Names of the numbers next to a string.
NUMBER_NAMES = {"geometry": NUMBERS, "bonds": (*NUMBERS, *BOND_NUMBERS)}
SEPARATOR = " | "
_FRACTION_DIGITS = (2, 4, 6, 8)  # as many as needed to distinguish a fraction from 0
_LARGEST_COUNT = 900  # of one token


class SymmetryString(NamedTuple):
    """The parts of a symmetry string; `str()` joins them again.

    Attributes
    ----------
    space_group : int or None
        None if the string has no generator part.
    orbits : tuple of Orbit
        The occupied Wyckoff positions: with `sites="set"` each once and without elements, with
        `sites="orbits"` one entry per orbit. Empty if the string has no sites part.
    composition : tuple of (str, float)
        Elements and atomic fractions, rounded to 0.01, traces to two more digits. Empty if the
        string has no composition.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import Orbit, SymmetryString
    >>> sites = (Orbit("1a", ("Cs",)), Orbit("1b", ("Cl",)))
    >>> str(SymmetryString(221, sites, (("Cs", 0.5), ("Cl", 0.5))))
    '1 4 b O O O c O O O d O O O e O O O 0 | 1a Cs 1b Cl | Cs 0.5 Cl 0.5'
    """

    space_group: int | None
    orbits: tuple
    composition: tuple

    def __str__(self):
        parts = []
        if self.space_group is not None:
            parts.append(" ".join(generator_string(self.space_group)))
        if self.orbits:
            parts.append(write_orbits(self.orbits))
        if self.composition:
            parts.append(write_composition(self.composition))
        return SEPARATOR.join(parts)


def symmetry_string(
    structure,
    *,
    parts=PARTS,
    sites="orbits",
    symprec=0.1,
    angle_tolerance=None,
    backend="moyopy",
):
    """Return the symmetry string of one crystal.

    Parameters
    ----------
    structure : pymatgen Structure, ase Atoms, pymatgen Composition, str or path
        A string is CIF text, the path of a `.cif` file or a chemical formula. A composition or
        formula gives a string with the composition only.
    parts : sequence of {"generators", "sites", "composition"}
        The parts to write; their order in the string is fixed.
    sites : {"orbits", "set"}, default="orbits"
        `"orbits"` lists every orbit with its element, which distinguishes the A and B sites of a
        perovskite; identical orbits are counted, `2i O x10 x2` for twelve. `"set"` lists only the
        set of occupied Wyckoff positions, as in the paper.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom. If no space group is found,
        the search is repeated with smaller values, down to a fifth.
    angle_tolerance : float, default=None
        Tolerance on angles between cell vectors, in degrees; None derives it from `symprec`.
    backend : {"moyopy", "spglib"}, default="moyopy"
        Library for the symmetry search.

    Returns
    -------
    str
        For example `0 3 a D D O b O O O j O O O 0 | 4a 8b | Rb 0.33 Zr 0.17 O 0.5`.

    Raises
    ------
    TypeError
        If `structure` has another type.
    CrystalError
        If it is not a valid crystal, or no symmetry is found at this `symprec`.
    ValueError
        If a parameter is invalid.

    Warns
    -----
    UserWarning
        If the reader made changes or found something unusual.

    Notes
    -----
    See section 3.1 of the CLOUD paper. In addition, the string is canonical: it does not depend on
    the order of the sites, the origin and the choice of the cell.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.symmetry import symmetry_string
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> symmetry_string(cscl)
    '1 4 b O O O c O O O d O O O e O O O 0 | 1a Cs 1b Cl | Cs 0.5 Cl 0.5'
    >>> symmetry_string(cscl, parts=["sites"], sites="set")
    '1a 1b'
    >>> symmetry_string("CsCl")
    'Cs 0.5 Cl 0.5'
    """
    check_options(parts, sites, symprec, angle_tolerance, backend)
    notes = []
    crystal = read_crystal(structure, notes=notes)
    if notes:
        warnings.warn("; ".join(notes), stacklevel=2)
    return compose_string(
        crystal,
        parts=parts,
        sites=sites,
        symprec=symprec,
        angle_tolerance=angle_tolerance,
        backend=backend,
    )


def check_options(parts, sites, symprec, angle_tolerance, backend):
    """Raise ValueError for an invalid option of `symmetry_string`."""
    if isinstance(parts, str) or not len(parts) or not set(parts) <= set(PARTS):
        raise ValueError(f"parts must be a sequence of one or more of {PARTS}, got {parts!r}.")
    if sites not in SITES:
        raise ValueError(f"sites must be one of {SITES}, got {sites!r}.")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {BACKENDS}, got {backend!r}.")
    if not _is_positive(symprec):
        raise ValueError(f"symprec must be a positive distance in angstrom, got {symprec!r}.")
    if angle_tolerance is not None and not _is_positive(angle_tolerance):
        raise ValueError(
            f"angle_tolerance must be None or a positive angle in degrees, got {angle_tolerance!r}."
        )


def _is_positive(value):
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < value < 1e6


def compose_string(crystal, **options):
    """Return the symmetry string of a `Crystal` or `Formula`; options as in `compose_strings`."""
    (string,) = compose_strings([crystal], **options)
    if isinstance(string, ValueError):
        raise string
    return string


def compose_strings(
    crystals,
    *,
    parts=PARTS,
    sites="orbits",
    numbers=None,
    symprec=0.1,
    angle_tolerance=None,
    backend="moyopy",
):
    """Return symmetry strings, or the ValueError of crystals that have none.

    The options are those of `symmetry_string`, already checked. With `numbers`, a key of
    `NUMBER_NAMES`, each result is a tuple of the string and its numbers.
    """
    symmetries = [None] * len(crystals)
    if "generators" in parts or "sites" in parts or numbers:
        rows = [row for row, crystal in enumerate(crystals) if isinstance(crystal, Crystal)]
        found = find_symmetries([crystals[i] for i in rows], symprec, angle_tolerance, backend)
        for row, symmetry in zip(rows, found, strict=True):
            symmetries[row] = symmetry
    strings = []
    for crystal, symmetry in zip(crystals, symmetries, strict=True):
        try:
            string = _compose(crystal, symmetry, parts, sites)
            if numbers:
                string = (string, *_describe(crystal, symmetry, numbers, symprec))
            strings.append(string)
        except ValueError as error:
            strings.append(error)
    return strings


def _compose(crystal, symmetry, parts, sites):
    """Return the string of one crystal and its result of `find_symmetries`."""
    if isinstance(symmetry, ValueError):
        raise symmetry
    composition = tuple(atomic_fractions(crystal.composition)) if "composition" in parts else ()
    if isinstance(crystal, Formula) and not composition:
        raise CrystalError(
            f"a composition has no symmetry: pass a structure, or add 'composition' to "
            f"parts={tuple(parts)}"
        )
    number, orbits, *_ = symmetry or (None, ())
    if "sites" not in parts:
        orbits = ()
    elif sites == "set":
        orbits = (Orbit(position, ()) for position in dict.fromkeys(o.position for o in orbits))
    space_group = number if "generators" in parts else None
    return str(SymmetryString(space_group, tuple(orbits), composition))


def _describe(crystal, symmetry, numbers, symprec):
    """Return the numbers of one crystal."""
    if isinstance(crystal, Formula):
        raise CrystalError(
            "a composition has no geometry: pass a structure, or numbers=None for strings only"
        )
    described = geometry_numbers(crystal, symmetry).tolist()
    if numbers == "bonds":
        described += bond_numbers(crystal, symprec).tolist()
    return described


def atomic_fractions(amounts):
    """Return sorted (element, fraction) of a composition, fractions rounded to 0.01.

    Traces that would be rounded to 0 keep at least two significant digits.
    """
    total = sum(amounts.values())
    # the inner rounding prevents that errors of summed occupancies decide a tie
    return [
        (element, _round_fraction(round(amounts[element] / total, 9)))
        for element in sorted(amounts, key=ELEMENT_RANK.__getitem__)
    ]


def _round_fraction(fraction):
    for digits in _FRACTION_DIGITS:
        if rounded := round(fraction, digits):
            return rounded
    return 0.0


def write_composition(composition):
    """Write `Fe 0.99 C 0.0 C 0.13`: a trace of 0.0013 is 0.0, then 0.13 hundredths."""
    words = []
    for element, fraction in composition:
        while 0 < fraction < 0.01:
            words += [element, "0.0"]
            fraction = round(fraction * 100, _FRACTION_DIGITS[-1])
        words += [element, str(fraction)]
    return " ".join(words)


def write_orbits(orbits):
    words, start = [], 0
    while start < len(orbits):
        end = start
        while end < len(orbits) and orbits[end] == orbits[start]:
            end += 1
        words += [orbits[start].position, *orbits[start].elements, *_write_count(end - start)]
        start = end
    return " ".join(words)


def _write_count(count):
    """Write a count as tokens: 12 is `x10 x2`, 1900 is `x900 x900 x100`; 1 is not written."""
    if count == 1:
        return []
    whole, count = divmod(count, _LARGEST_COUNT) if count > 999 else (0, count)
    digits = str(count)
    powers = range(len(digits) - 1, -1, -1)
    rest = [f"x{digit}{'0' * power}" for digit, power in zip(digits, powers) if digit != "0"]
    return [f"x{_LARGEST_COUNT}"] * whole + rest
