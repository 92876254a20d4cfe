"""Unlabelled crystals to pre-train on: tables, CIF folders, records without coordinates."""

import bz2
import csv
import gzip
import lzma
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..symmetry.crystals import Crystal, read_crystal

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


class SymmetryRecord(NamedTuple):
    """A crystal of which only the symmetry is known.

    Attributes
    ----------
    composition : dict of str to float
        Atoms in the cell.
    space_group : int
    letters : tuple of str
        Letters of the occupied Wyckoff positions.
    """

    composition: dict
    space_group: int
    letters: tuple


def read_symmetry_table(path):
    """Read a table of crystals without coordinates, one a line.

    Parameters
    ----------
    path : str or path
        CSV, possibly compressed, with the columns `source`, `id`, `cell_formula`, `space_group`
        and `wyckoff_letters` (`4a 8c`; the multiplicities are ignored).

    Yields
    ------
    identifier : str
        `source/id`.
    record : SymmetryRecord

    Raises
    ------
    ValueError
        If a line is not of that form; the message names the line.
    """
    with open_text(path) as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                amounts = _RUN.findall(row["cell_formula"])
                record = SymmetryRecord(
                    {element: float(count or 1) for element, count in amounts},
                    int(row["space_group"]),
                    tuple(symbol[-1] for symbol in row["wyckoff_letters"].split()),
                )
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"line {number} of {path} is no record: {error!r}") from error
            yield f"{row['source']}/{row['id']}", record


def read_cif_folder(path):
    """Read the CIF files of a folder and its subfolders, in the order of their names.

    Parameters
    ----------
    path : str or path

    Yields
    ------
    identifier : str
        Path of the file relative to the folder.
    crystal : Crystal or ValueError
        The error where a file cannot be read, so that the reader goes on with the next.

    Raises
    ------
    ValueError
        If there is no such folder or no CIF file in it.
    """
    folder = Path(path)
    files = sorted(folder.rglob("*.cif"))
    if not files:
        raise ValueError(f"there are no .cif files in {str(folder)!r}")
    for file in files:
        try:
            crystal = read_crystal(file)
        except ValueError as error:
            crystal = error
        yield str(file.relative_to(folder)), crystal
