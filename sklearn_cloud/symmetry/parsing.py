"""Parse symmetry strings."""

import re

from ..crystals.crystal import ELEMENT_RANK, ELEMENTS
from .generators import space_group_number
from .strings import SEPARATOR, SymmetryString
from .wyckoff import Orbit, wyckoff_positions

_WYCKOFF = re.compile(r"\d+[a-zA]")
_COUNT = re.compile(r"x[1-9]0{0,2}")
_FRACTION = re.compile(r"0\.\d\d?|1\.0")


def parse_string(string):
    """Parse a symmetry string into its parts.

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
        If a part is malformed or in the wrong place, or names an unknown space group, or a
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
            raise ValueError(f"{string!r} is not a symmetry string: {part!r} is out of place")
        del names[: names.index(name) + 1]
        try:
            found[name] = readers[name](part)
        except ValueError as error:
            raise ValueError(f"{string!r} is not a symmetry string: {error}") from error
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
    return _join_traces(part, pairs)


def _join_traces(part, pairs):
    """Join `C 0.0 C 0.13` to a fraction of 0.0013: after a 0.0, the next number is hundredths."""
    fractions, scales = {}, {}
    for element, fraction in pairs:
        if fractions.get(element):
            raise ValueError(f"{part!r} lists {element} twice")
        scales[element] = scales.get(element, 100) / 100
        fractions[element] = round(float(fraction) * scales[element], 8)
    return tuple(fractions.items())


def _check_positions(space_group, orbits, string):
    if space_group is None:
        return
    known = set(wyckoff_positions(space_group))
    for orbit in orbits:
        if orbit.position not in known:
            raise ValueError(
                f"{string!r} is not a symmetry string: space group {space_group} has no Wyckoff "
                f"position {orbit.position!r}"
            )
