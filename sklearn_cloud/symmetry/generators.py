"""Space groups as generator strings, and generator strings as symmetry operations.

A generator string spells the generators of a space group: a digit for the inversion, the number
of further generators, four symbols for each of them (a matrix `a`-`n` and three translations),
and a last digit that tells whether a second choice of origin follows as three translations.
"""

import json
from fractions import Fraction
from functools import lru_cache
from importlib import resources

import numpy as np

_MATRICES = {
    "a": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "b": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "c": ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    "d": ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    "e": ((0, 1, 0), (1, 0, 0), (0, 0, -1)),
    "f": ((0, -1, 0), (-1, 0, 0), (0, 0, -1)),
    "g": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "h": ((-1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "i": ((1, 0, 0), (0, 1, 0), (0, 0, -1)),
    "j": ((1, 0, 0), (0, -1, 0), (0, 0, 1)),
    "k": ((0, -1, 0), (-1, 0, 0), (0, 0, 1)),
    "l": ((0, 1, 0), (1, 0, 0), (0, 0, 1)),
    "m": ((0, 1, 0), (-1, 0, 0), (0, 0, -1)),
    "n": ((0, -1, 0), (1, -1, 0), (0, 0, 1)),
}
_TRANSLATIONS = {
    **{"A": (1, 6), "B": (1, 4), "C": (1, 3), "D": (1, 2), "E": (2, 3), "F": (3, 4), "G": (5, 6)},
    **{"O": (0, 1), "X": (-3, 8), "Y": (-1, 4), "Z": (-1, 8)},
}
# Translations are kept as integers in units of 1/24 of the cell, so that the group is exact.
_UNIT = 24
_STEPS = {symbol: int(Fraction(*value) * _UNIT) for symbol, value in _TRANSLATIONS.items()}
_LARGEST_GROUP = 192

GENERATOR_SYMBOLS = (*"0123456789", *_MATRICES, *_TRANSLATIONS)


@lru_cache
def generator_strings():
    """Generator strings of the 230 space groups, in the order of their numbers.

    Returns
    -------
    tuple of str, length 230
    """
    table = resources.files("sklearn_cloud").joinpath("data/generator_strings.json")
    return tuple(json.loads(table.read_text()))


@lru_cache
def _numbers():
    return {string: number for number, string in enumerate(generator_strings(), start=1)}


def generator_string(space_group):
    """Generator string of a space group.

    Parameters
    ----------
    space_group : int
        Number in International Tables A, 1 to 230.

    Returns
    -------
    str
        Compact form, one character a symbol.

    Raises
    ------
    ValueError
        If there is no space group with this number.

    Notes
    -----
    The strings of De Graef and McHenry, section A.2.1 of the CLOUD paper. Printed tables of them
    contain errors (39 and 131); here each of the 230 generates, operation for operation, one
    setting of its group in spglib's database.

    References
    ----------
    M. De Graef and M. E. McHenry, Structure of Materials, 2nd ed., Cambridge University Press
    (2012), section 10.3.6.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import generator_string
    >>> generator_string(35)
    '03aDDObOOOjOOO0'
    """
    is_integer = isinstance(space_group, int | np.integer) and not isinstance(space_group, bool)
    if not is_integer or not 1 <= space_group <= 230:
        raise ValueError(f"space_group must be an integer from 1 to 230, got {space_group!r}.")
    return generator_strings()[space_group - 1]


def space_group_number(generator_string):
    """Space group number of a generator string: the inverse of `generator_string`.

    Parameters
    ----------
    generator_string : str
        Compact, or with blanks between the symbols.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is not the generator string of one of the 230 space groups.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import space_group_number
    >>> space_group_number("0 3 a D D O b O O O j O O O 0")
    35
    """
    number = _numbers().get(generator_string.replace(" ", ""))
    if number is None:
        raise ValueError(f"{generator_string!r} is not the generator string of any space group.")
    return number


def generator_operations(generator_string, *, origin_choice=1):
    """Symmetry operations that a generator string generates.

    Parameters
    ----------
    generator_string : str
        Compact, or with blanks between the symbols. It need not be one of the 230.
    origin_choice : {1, 2}, default=1
        Origin of International Tables A. The second exists where the string ends with `1` and
        three translations.

    Returns
    -------
    rotations : ndarray of shape (n, 3, 3), int
        Matrices in fractional coordinates; the identity comes first.
    translations : ndarray of shape (n, 3), float
        In units of the cell vectors, in [0, 1).

    Raises
    ------
    ValueError
        If the string is malformed, generates no finite group, or has no such origin.

    Examples
    --------
    >>> from sklearn_cloud.symmetry import generator_operations
    >>> rotations, translations = generator_operations("03aDDObOOOjOOO0")
    >>> rotations.shape, translations.shape
    ((8, 3, 3), (8, 3))
    """
    generators, origin = _read_generators(generator_string)
    rotations, steps = _generate(generators, generator_string)
    if origin_choice not in (1, 2):
        raise ValueError(f"origin_choice must be 1 or 2, got {origin_choice!r}.")
    if origin_choice == 2:
        if origin is None:
            raise ValueError(f"{generator_string!r} has no second choice of origin.")
        steps = steps + origin - rotations @ origin
    return rotations, np.mod(steps, _UNIT) / _UNIT


def _read_generators(string):
    """Split a generator string into [(matrix, steps), ...] and the second origin or None."""
    symbols = string.replace(" ", "")
    problem = f"{string!r} is not a generator string: "
    if len(symbols) < 3 or symbols[0] not in "01" or not symbols[1].isdigit():
        raise ValueError(problem + "it must begin with 0 or 1 and the number of generators.")
    end = 2 + 4 * int(symbols[1])
    tail = symbols[end:]
    if not (tail == "0" or (tail[:1] == "1" and len(tail) == 4)):
        raise ValueError(problem + f"{symbols[1]} generators of four symbols and 0, or 1 and an "
                         f"origin of three, should follow the first two digits.")  # fmt: skip
    generators = [(-np.eye(3, dtype=int), np.zeros(3, dtype=int))] if symbols[0] == "1" else []
    for start in range(2, end, 4):
        matrix, *translation = symbols[start : start + 4]
        if matrix not in _MATRICES:
            raise ValueError(problem + f"{matrix!r} is not a matrix a-n.")
        generators.append((np.array(_MATRICES[matrix]), _read_steps(translation, problem)))
    return generators, _read_steps(tail[1:], problem) if tail[0] == "1" else None


def _read_steps(symbols, problem):
    for symbol in symbols:
        if symbol not in _STEPS:
            raise ValueError(problem + f"{symbol!r} is not a translation A-G, O, X, Y or Z.")
    return np.array([_STEPS[symbol] for symbol in symbols])


def _generate(generators, string):
    """Close the generators under multiplication, modulo lattice translations."""
    operations = [(np.eye(3, dtype=int), np.zeros(3, dtype=int))]
    seen = {_key(*operations[0])}
    for rotation, steps in operations:  # the list grows while it is walked
        for matrix, shift in generators:
            product = (matrix @ rotation, (matrix @ steps + shift) % _UNIT)
            if _key(*product) not in seen:
                seen.add(_key(*product))
                operations.append(product)
        if len(operations) > _LARGEST_GROUP:
            raise ValueError(f"{string!r} generates more operations than any space group has.")
    rotations, steps = zip(*operations, strict=True)
    return np.array(rotations), np.array(steps)


def _key(rotation, steps):
    return rotation.tobytes() + steps.tobytes()
