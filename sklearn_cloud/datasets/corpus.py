"""Tables of unlabelled crystals."""

import bz2
import gzip
import lzma
import re
from pathlib import Path

import numpy as np

from ..symmetry.crystals import Crystal

_OPENERS = {".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}
_RUN = re.compile(r"([A-Z][a-z]?)(\d*)")


def open_text(path):
    """Open a text file for reading, compressed or not."""
    path = Path(path)
    return _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8")


def read_structure_table(path):
    """Read a table of crystals, one a line, without ever holding more than one.

    Parameters
    ----------
    path : str or path
        Tab-separated with a header, possibly compressed (`.xz`, `.gz`, `.bz2`): identifier,
        species in site order as runs (`Sr1 Ti1 O3`), the nine numbers of the cell vectors (rows,
        angstrom), and fractional coordinates.

    Yields
    ------
    identifier : str
    crystal : Crystal

    Raises
    ------
    ValueError
        If a line is not of that form; the message names the line.
    """
    with open_text(path) as lines:
        next(lines)
        for number, line in enumerate(lines, start=2):
            try:
                yield _read_line(line.rstrip("\n"))
            except (ValueError, AttributeError) as error:
                raise ValueError(f"line {number} of {path} is no crystal: {error}") from error


def _read_line(line):
    identifier, runs, lattice, positions = line.split("\t")
    kinds, index = [], {}
    for run in runs.split(" "):
        element, count = _RUN.fullmatch(run).groups()
        kinds += [index.setdefault(element, len(index))] * int(count or 1)
    crystal = Crystal(
        np.array(lattice.split(), dtype=float).reshape(3, 3),
        np.array(positions.split(), dtype=float).reshape(len(kinds), 3),
        np.array(kinds, dtype=np.int32),
        tuple(((element, 1.0),) for element in index),
    )
    return identifier, crystal
