"""Compose a symmetry string from its parts, and read the parts back."""

import re
from typing import NamedTuple

from .crystals import ELEMENT_RANK, ELEMENTS, Crystal, Formula, read_crystal
from .generators import generator_string, space_group_number
from .search import BACKENDS, search_crystals
from .wyckoff import Orbit, wyckoff_positions

PARTS = ("generators", "sites", "composition")
SITES = ("set", "orbits")
SEPARATOR = " | "

_WYCKOFF = re.compile(r"\d+[a-zA]")
_COUNT = re.compile(r"x[1-9]0{0,2}")
_FRACTION = re.compile(r"0\.\d\d?|1\.0")


class SymmetryString(NamedTuple):
    """The parts of a symmetry string. `str()` of it gives the string back.

    Attributes
    ----------
    space_group : int or None
        None where the string has no generator part.
    orbits : tuple of Orbit
        The occupied Wyckoff positions. With `sites="set"` each appears once and has no elements;
        with `sites="orbits"` one entry per orbit. Empty where the string has no sites part.
    composition : tuple of (str, float)
        Elements and atomic fractions, rounded to 0.01. Empty where the string has no composition.

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
            parts.append(_write_composition(self.composition))
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
    """Symmetry string of one crystal.

    Parameters
    ----------
    structure : pymatgen Structure, ase Atoms, pymatgen Composition, str or path
        A string is CIF text, the path of a `.cif` file or a chemical formula. A composition or
        formula gives a string of the composition alone.
    parts : sequence of {"generators", "sites", "composition"}
        The parts to write; their order in the string is fixed.
    sites : {"orbits", "set"}, default="orbits"
        `"orbits"` names every orbit with its element, which tells the A site of a perovskite from
        the B site; identical orbits are counted, `2i O x10 x2` for twelve. `"set"` names the
        occupied Wyckoff positions only, as the paper does.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom. Where no space group is found
        the search is repeated with less, down to a fifth of it.
    angle_tolerance : float, default=None
        Tolerance on angles between cell vectors, in degrees; None leaves it to `symprec`.
    backend : {"moyopy", "spglib"}, default="moyopy"
        Library that searches the symmetry.

    Returns
    -------
    str
        For example `0 3 a D D O b O O O j O O O 0 | 4a 8b | Rb 0.33 Zr 0.17 O 0.5`.

    Raises
    ------
    TypeError
        If `structure` is none of the accepted kinds.
    ValueError
        If it is no valid crystal, has no symmetry at this `symprec`, or a parameter is invalid.

    Notes
    -----
    Section 3.1 of the CLOUD paper. Beyond it the string is canonical: the same crystal gives the
    same string however its sites are ordered, its origin placed and its cell chosen.

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
    return compose_string(
        read_crystal(structure),
        parts=parts,
        sites=sites,
        symprec=symprec,
        angle_tolerance=angle_tolerance,
        backend=backend,
    )


def check_options(parts, sites, symprec, angle_tolerance, backend):
    """Raise ValueError for an option that `symmetry_string` does not know."""
    if isinstance(parts, str) or not len(parts) or not set(parts) <= set(PARTS):
        raise ValueError(f"parts must be a sequence of one or more of {PARTS}, got {parts!r}.")
    if sites not in SITES:
        raise ValueError(f"sites must be one of {SITES}, got {sites!r}.")
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {BACKENDS}, got {backend!r}.")
    if not _is_positive(symprec):
        raise ValueError(f"symprec must be a distance in angstrom above 0, got {symprec!r}.")
    if angle_tolerance is not None and not _is_positive(angle_tolerance):
        raise ValueError(
            f"angle_tolerance must be None or an angle in degrees above 0, got {angle_tolerance!r}."
        )


def _is_positive(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6


def compose_string(crystal, **options):
    """Symmetry string of a `Crystal` or `Formula`; options as of `compose_strings`."""
    (string,) = compose_strings([crystal], **options)
    if isinstance(string, ValueError):
        raise string
    return string


def compose_strings(crystals, *, parts, sites, symprec, angle_tolerance, backend):
    """Symmetry strings, with a ValueError in the place of a crystal that has none.

    The options are those of `symmetry_string`, taken as checked.
    """
    symmetries = [None] * len(crystals)
    if "generators" in parts or "sites" in parts:
        rows = [row for row, crystal in enumerate(crystals) if isinstance(crystal, Crystal)]
        found = search_crystals([crystals[i] for i in rows], symprec, angle_tolerance, backend)
        for row, symmetry in zip(rows, found, strict=True):
            symmetries[row] = symmetry
    strings = []
    for crystal, symmetry in zip(crystals, symmetries, strict=True):
        try:
            strings.append(_compose(crystal, symmetry, parts, sites))
        except ValueError as error:
            strings.append(error)
    return strings


def _compose(crystal, symmetry, parts, sites):
    """The string of one crystal, of which `search_crystals` found `symmetry`."""
    if isinstance(symmetry, ValueError):
        raise symmetry
    composition = tuple(atomic_fractions(crystal.composition)) if "composition" in parts else ()
    if isinstance(crystal, Formula) and not composition:
        raise ValueError(
            f"a composition has no symmetry: parts={tuple(parts)} leaves nothing to write"
        )
    number, orbits, _ = symmetry or (None, (), ())
    if "sites" not in parts:
        orbits = ()
    elif sites == "set":
        orbits = (Orbit(position, ()) for position in dict.fromkeys(o.position for o in orbits))
    space_group = number if "generators" in parts else None
    return str(SymmetryString(space_group, tuple(orbits), composition))


def atomic_fractions(amounts):
    """Sorted (element, fraction) of a composition, fractions rounded to 0.01."""
    total = sum(amounts.values())
    # the inner rounding keeps sums of partial occupancies from tipping a tie either way
    return [
        (element, round(round(amounts[element] / total, 9), 2))
        for element in sorted(amounts, key=ELEMENT_RANK.__getitem__)
    ]


def _write_composition(composition):
    return " ".join(f"{element} {fraction}" for element, fraction in composition)


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
    """Count tokens that add up: 12 is `x10 x2`; 1 is not written."""
    if count == 1:
        return []
    if count > 999:
        raise ValueError(f"a string counts up to 999 identical orbits, this crystal has {count}")
    digits = str(count)
    powers = range(len(digits) - 1, -1, -1)
    return [f"x{digit}{'0' * power}" for digit, power in zip(digits, powers) if digit != "0"]


def parse_string(string):
    """Read a symmetry string back into its parts.

    Parameters
    ----------
    string : str

    Returns
    -------
    SymmetryString

    Raises
    ------
    TypeError
        If `string` is not a string.
    ValueError
        If a part is malformed, stands in the wrong place, names an unknown space group, or a
        Wyckoff position that the space group does not have.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import parse_string
    >>> parsed = parse_string("0 3 a D D O b O O D j O O D 0 | 4a 8b | Rb 0.33 Zr 0.17 O 0.5")
    >>> parsed.space_group, [orbit.position for orbit in parsed.orbits]
    (36, ['4a', '8b'])
    >>> parsed.composition
    (('Rb', 0.33), ('Zr', 0.17), ('O', 0.5))
    """
    if not isinstance(string, str):
        raise TypeError(f"expected a symmetry string, got {string!r:.80}")
    readers = {"space_group": space_group_number, "orbits": _read_orbits}
    readers["composition"] = _read_composition
    names, found = list(readers), {"space_group": None, "orbits": (), "composition": ()}
    for part in string.split(SEPARATOR):
        name = _name_of_part(part)
        if name not in names:
            raise ValueError(f"{string!r} is no symmetry string: {part!r} is out of place")
        del names[: names.index(name) + 1]
        try:
            found[name] = readers[name](part)
        except ValueError as error:
            raise ValueError(f"{string!r} is no symmetry string: {error}") from error
    _check_positions(found["space_group"], found["orbits"], string)
    return SymmetryString(**found)


def _name_of_part(part):
    first = part.split(" ", 1)[0]
    if _WYCKOFF.fullmatch(first):
        return "orbits"
    return "space_group" if first.isdigit() else "composition"


def _read_orbits(part):
    orbits = []
    words = part.split(" ")
    while words:
        position, elements, count = words.pop(0), [], 0
        if not _WYCKOFF.fullmatch(position):
            raise ValueError(f"{position!r} is not a Wyckoff symbol")
        while words and words[0] in ELEMENT_RANK:
            elements.append(words.pop(0))
        while words and _COUNT.fullmatch(words[0]):
            count += int(words.pop(0)[1:])
        orbits += [Orbit(position, tuple(elements))] * max(count, 1)
    return tuple(orbits)


def _read_composition(part):
    words = part.split(" ")
    if len(words) % 2:
        raise ValueError(f"{part!r} is not a list of elements and fractions")
    pairs = tuple(zip(words[::2], words[1::2], strict=True))
    for element, fraction in pairs:
        if element not in ELEMENT_RANK:
            raise ValueError(f"{element!r} is not one of the {len(ELEMENTS)} elements")
        if not _FRACTION.fullmatch(fraction):
            raise ValueError(f"{fraction!r} is not a fraction from 0.0 to 1.0 in steps of 0.01")
    return tuple((element, float(fraction)) for element, fraction in pairs)


def _check_positions(space_group, orbits, string):
    if space_group is None:
        return
    known = set(wyckoff_positions(space_group))
    for orbit in orbits:
        if orbit.position not in known:
            raise ValueError(
                f"{string!r} is no symmetry string: space group {space_group} has no Wyckoff "
                f"position {orbit.position!r}"
            )
