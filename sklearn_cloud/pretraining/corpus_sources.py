"""Read unlabelled crystals: tables, CIF folders, records without coordinates."""

import csv
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..crystals.collection import ID_COLUMNS
from ..crystals.crystal import Crystal
from ..crystals.crystal_files import DAMAGE, OPENERS, search_folder
from ..crystals.parquet_files import RowGroup, find_row_groups, open_parquet
from ..crystals.partitions import find_crystal_column, read_collection

_DAMAGE = (*DAMAGE, UnicodeDecodeError)
_RUN = re.compile(r"([A-Z][a-z]?)(\d*)")
_FORMULA = re.compile(rf"({_RUN.pattern})+")
_COLUMNS = ("source", "id", "cell_formula", "space_group", "wyckoff_letters")


def open_text(path):
    """Open a text file for reading, compressed (`.xz`, `.gz`, `.bz2`) or not."""
    path = Path(path)
    return OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8")


def read_lines(path):
    """Yield the lines of a text file, compressed or not.

    Raises
    ------
    ValueError
        If the file is truncated or otherwise damaged.
    """
    try:
        with open_text(path) as lines:
            yield from lines
    except _DAMAGE as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}") from error


def read_structure_table(path):
    """Read a table of crystals line by line.

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
        The crystal as in the table; it is not checked.

    Raises
    ------
    ValueError
        If the file is damaged or a line is malformed; the message names the line.
    """
    lines = read_lines(path)
    next(lines, None)
    for number, line in enumerate(lines, start=2):
        try:
            yield _read_line(line.rstrip("\n"))
        except (ValueError, AttributeError) as error:
            raise ValueError(
                f"line {number} of {str(path)!r} is not a valid crystal: {error}"
            ) from error


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
    """A crystal with known symmetry but without coordinates.

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
    """Read a table of crystals without coordinates line by line.

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
        If the file is damaged or a line is malformed; the message names the line.
    """
    for number, row in enumerate(csv.DictReader(read_lines(path)), start=2):
        missing = [column for column in _COLUMNS if row.get(column) is None]
        if missing:
            raise ValueError(f"line {number} of {str(path)!r} has no {', '.join(missing)}")
        try:
            record = SymmetryRecord(
                _read_formula(row["cell_formula"]),
                int(row["space_group"]),
                tuple(symbol[-1] for symbol in row["wyckoff_letters"].split()),
            )
        except ValueError as error:
            raise ValueError(
                f"line {number} of {str(path)!r} is not a valid record: {error}"
            ) from error
        yield f"{row['source']}/{row['id']}", record


def _read_formula(formula):
    if not _FORMULA.fullmatch(formula):
        raise ValueError(f"{formula!r} is not a formula of elements and integers")
    amounts = {}
    for element, count in _RUN.findall(formula):
        amounts[element] = amounts.get(element, 0.0) + float(count or 1)
    return amounts


def read_cif_folder(path):
    """Find the crystal files of a folder and its subfolders, sorted by name.

    Parameters
    ----------
    path : str or path

    Yields
    ------
    identifier : str
        Path of the file relative to the folder.
    file : pathlib.Path
        Absolute path; the worker that writes the row of the corpus opens it.

    Raises
    ------
    ValueError
        If there is no such folder, or it has no crystal files.
    """
    folder = Path(path)
    files, _ = search_folder(folder)
    for file in files:
        yield str(file.relative_to(folder)), file.absolute()


class Partition(NamedTuple):
    """Crystals of one row group of a Parquet table; a worker reads them when it needs them.

    Attributes
    ----------
    group : RowGroup
    column : str
        Column with the crystals.
    names : tuple of str
        Column with the identifiers, or empty.
    """

    group: RowGroup
    column: str
    names: tuple

    def read(self):
        """Return pairs of identifier and crystal."""
        found = read_collection(self.group, self.column, self.names)
        if self.names:
            return list(zip(map(str, found.frame[self.names[0]]), found.items))
        place = f"{self.group.path.name}/{self.group.number}"
        return [(f"{place}/{row}", item) for row, item in enumerate(found.items)]


def list_partitions(path, column=None):
    """Return the partitions of a Parquet file or of a folder of them, unread.

    Parameters
    ----------
    path : str or path
    column : str, default=None
        Column with the crystals; None takes the first known one.

    Returns
    -------
    list of Partition

    Raises
    ------
    ValueError
        If there is no such table or column.
    """
    groups = find_row_groups(path)
    column = find_crystal_column(groups[0], column)
    with open_parquet(groups[0].path) as opened:
        names = [name for name in ID_COLUMNS if name in opened.schema_arrow.names]
    names = tuple(name for name in names if name != column)[:1]
    return [Partition(group, column, names) for group in groups]
