"""Parquet files, whole or one row group at a time."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from .crystal_files import check_regular, is_crystal_file

NEEDS_PYARROW = "Parquet files require pyarrow: pip install 'sklearn-cloud[parquet]'."


class RowGroup(NamedTuple):
    """A partition of a table: the rows of a Parquet file that are read together.

    Attributes
    ----------
    path : pathlib.Path
    number : int
        Number of the row group in its file.
    n_rows : int
    """

    path: Path
    number: int
    n_rows: int

    def __str__(self):
        return f"{self.path}, row group {self.number}"


def import_parquet():
    """Return `pyarrow.parquet`, or raise an ImportError with the command that installs it."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise ImportError(NEEDS_PYARROW) from None
    return parquet


def is_parquet(path):
    """Whether this is a Parquet file, or a folder with Parquet files and no crystal files."""
    path = Path(path)
    if not path.is_dir():
        return path.suffix.lower() == ".parquet"
    return bool(list_parquet(path)) and not any(map(is_crystal_file, path.rglob("*")))


def list_parquet(path):
    """Return the Parquet files of a folder and its subfolders, sorted, or a single one.

    Files and folders whose names start with a dot or an underscore are left out. A pipe or a device
    is a CrystalError.
    """
    if not path.is_dir():
        check_regular(path)
        return [path]
    return sorted(
        file
        for file in path.rglob("*.parquet")
        if file.is_file() and not any(p[0] in "._" for p in file.relative_to(path).parts)
    )


def find_row_groups(path):
    """Return all row groups of a Parquet file, or of those in a folder.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    list of RowGroup

    Raises
    ------
    ImportError
        If pyarrow is missing.
    ValueError
        If there are no Parquet files, one is damaged, or there are no rows.
    """
    path = Path(path)
    files = list_parquet(path)
    if not files or not path.exists():
        raise ValueError(f"there are no Parquet files at {str(path)!r}.")
    groups = []
    for file in files:
        with open_parquet(file) as opened:
            sizes = [opened.metadata.row_group(i).num_rows for i in range(opened.num_row_groups)]
        groups += [RowGroup(file, i, size) for i, size in enumerate(sizes) if size]
    if not groups:
        raise ValueError(f"{path} has no rows.")
    return groups


def hash_footers(path):
    """Checksum of the names of Parquet files and of their footers.

    A footer has the sizes and statistics of all columns. It is read fast, where the checksum of
    all cells would take as long as reading the table.
    """
    path, digest = Path(path), hashlib.sha256()
    for file in list_parquet(path):
        digest.update(f"{file.relative_to(path) if path.is_dir() else file.name}\n".encode())
        with open(file, "rb") as stream:
            stream.seek(-8, os.SEEK_END)  # the last eight bytes: its length, and "PAR1"
            stream.seek(-8 - int.from_bytes(stream.read(4), "little"), os.SEEK_END)
            digest.update(stream.read())
    return digest.hexdigest()


def open_parquet(path):
    """Open a Parquet file; raise ValueError with its path if it is damaged."""
    parquet = import_parquet()
    import pyarrow

    try:
        return parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file: {error}") from error


def read_row_group(group, columns=None):
    """Return the rows of a row group as a `pyarrow.Table`; `columns` are their names."""
    with open_parquet(group.path) as opened:
        return opened.read_row_group(group.number, columns=columns)


def read_parquet(path):
    """Return a whole Parquet file as a data frame."""
    with open_parquet(path) as opened:
        return to_frame(opened.read())


def to_frame(table):
    """Convert a `pyarrow.Table` to a data frame; nested values lack what only other rows have."""
    import pyarrow

    frame = table.to_pandas()
    for column in table.schema:
        if pyarrow.types.is_nested(column.type) and column.name in frame:
            cells = table.column(column.name).to_pylist()
            frame[column.name] = [drop_missing(cell) for cell in cells]
    return frame


def drop_missing(value):
    """Return a nested value without fields that only other rows have."""
    if isinstance(value, dict):
        return {key: drop_missing(one) for key, one in value.items() if one is not None}
    return [drop_missing(one) for one in value] if isinstance(value, list) else value
