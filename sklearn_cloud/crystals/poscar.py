"""Read POSCAR and CONTCAR files of VASP."""

import math

import numpy as np

from .crystal import ELEMENT_RANK, Crystal, check_crystal
from .errors import CrystalError
from .species import ISOTOPES, add_note, index_species, settle_species


def read_poscar(text, notes=None):
    """Read a crystal in the format of VASP 5 or later.

    Parameters
    ----------
    text : str
    notes : list, default=None

    Returns
    -------
    Crystal

    Raises
    ------
    CrystalError
        If the text is not a POSCAR, or does not name the elements (VASP 4).
    """
    lines = text.splitlines()
    try:
        lattice = _read_lattice(lines)
        symbols, counts, line = _read_counts(lines, notes)
        if lines[line].strip()[:1] in ("S", "s"):  # selective dynamics
            line += 1
        cartesian = lines[line].strip()[:1] in ("C", "c", "K", "k")
        rows = lines[line + 1 : line + 1 + sum(counts)]
        positions = np.array([[float(word) for word in row.split()[:3]] for row in rows])
    except CrystalError:
        raise
    except IndexError as error:
        raise CrystalError("it is not a valid POSCAR: lines are missing at its end") from error
    except (ValueError, OverflowError) as error:
        raise CrystalError(f"it is not a valid POSCAR: {error}") from error
    if positions.shape != (sum(counts), 3):
        raise CrystalError(
            f"the POSCAR has coordinates of only {len(positions)} of {sum(counts)} atoms"
        )
    if cartesian:
        scale = np.linalg.norm(lattice[0]) / np.linalg.norm(_numbers(lines[2]))
        positions = positions * scale @ np.linalg.inv(lattice)
    species = []
    for symbol, count in zip(symbols, counts, strict=True):
        species += [settle_species([(symbol, 1.0)], "the POSCAR", notes)] * count
    kinds, distinct = index_species(species)
    return check_crystal(Crystal(lattice, positions, kinds, distinct))


def looks_like_poscar(text):
    """Whether the second to fifth lines are a scale and three cell vectors."""
    try:
        _read_lattice(text.split("\n", 8)[:8])
    except (ValueError, IndexError):
        return False
    return True


def _numbers(line, count=3):
    numbers = [float(word) for word in line.split()[:count]]
    if len(numbers) < count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"expected {count} numbers, got the line {line!r}")
    return numbers


def _read_lattice(lines):
    (scale,) = _numbers(lines[1], 1)
    lattice = np.array([_numbers(line) for line in lines[2:5]])
    volume = abs(np.linalg.det(lattice))
    if not np.isfinite(volume) or volume == 0 or scale == 0:
        raise CrystalError("the cell of the POSCAR has no volume")
    # a negative scale is the volume
    return lattice * (scale if scale > 0 else (-scale / volume) ** (1 / 3))


def _read_counts(lines, notes):
    """Return symbols, number of atoms of each, and the number of the next line."""
    words = lines[5].split()
    if not words[0].isdigit():
        symbols = [word.split("/")[0].split("_")[0] for word in words]
        return symbols, _whole(lines[6], len(symbols)), 7
    counts = _whole(lines[5], len(words))
    comment = lines[0].split()
    if len(comment) == len(counts) and all(w in ELEMENT_RANK or w in ISOTOPES for w in comment):
        add_note(notes, "the elements were read from the comment line of the POSCAR (VASP 4)")
        return comment, counts, 6
    raise CrystalError(
        "the POSCAR does not name the elements (VASP 4 format): add a line with their symbols "
        "above the numbers of atoms"
    )


def _whole(line, n_symbols):
    counts = [int(word) for word in line.split()[:n_symbols]]
    if len(counts) < n_symbols or min(counts) < 0 or not sum(counts):
        raise ValueError(
            f"expected the numbers of atoms of {n_symbols} elements, got the line {line!r}"
        )
    if sum(counts) > 10**7:
        raise ValueError(f"it has too many atoms ({sum(counts)})")
    return counts
