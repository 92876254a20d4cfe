"""Read tables of crystals in all common formats as data frames."""

import csv
import difflib
import io
from zipfile import BadZipFile

from .crystal_files import check_content, read_text, suffix_of
from .json_tables import read_json, read_json_lines
from .parquet_files import read_parquet

LARGEST_FIELD = 2**31 - 1  # characters; the text of a large CIF exceeds Python's default limit
NEEDS_EXCEL = (
    "Excel files require openpyxl: pip install 'sklearn-cloud[excel]', or save the sheet as CSV."
)
MISSING_HEADER = (
    "if the table has no header and {name!r} is a value of its first row, pass {no_header}"
)


#: Names of the options of a reader in messages, in Python and on the command line.
PYTHON = {"column": "column=", "no_header": "header=False", "folder": "folder="}
COMMAND_LINE = {"column": "--column", "no_header": "--no-header", "folder": "--folder"}


def is_table(path):
    """Whether the suffix is that of a table or of a file with many crystals."""
    return suffix_of(path) in READERS


def read_table(path, header=True):
    """Read a table.

    Parameters
    ----------
    path : pathlib.Path
        A format of `READERS`, compressed or not. Columns of CSV and TSV stay text, so that they
        are written unchanged. JSON is a list of records, pandas' "split", "columns" or "index"
        form, a response with ``data``, or one structure.
    header : bool, default=True
        Whether the first row of CSV, TSV and Excel has the names of the columns; without a
        header they are called "1", "2", ...

    Returns
    -------
    frame : pandas.DataFrame
        Its index counts the rows from 1; an index with ids becomes a column.
    problems : dict of int to str
        Malformed rows, which are empty in the frame, and their problems.

    Raises
    ------
    ImportError
        If a package for the format is missing.
    ValueError
        If the file is not a table of a known format, or has no rows.
    """
    kind = suffix_of(path)
    if kind not in READERS:
        raise ValueError(
            f"{path}: unknown table format; file names of tables end in {', '.join(READERS)}."
        )
    check_content(path)
    frame, problems = READERS[kind](path, header)
    return check_frame(frame, path), problems


def check_frame(frame, source):
    """Return the frame with rows numbered from 1; ids of its index become a column.

    Raises
    ------
    ValueError
        If there are no rows, or two columns have the same name.
    """
    if not len(frame):
        raise ValueError(f"{source} has no rows.")
    frame = frame.rename(columns=str)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"{source} has two columns named {twice!r}: rename one of them.")
    index = frame.index
    frame = frame.set_axis(range(1, len(frame) + 1))
    if not _counts_rows(index):
        name = str(index.name) if index.name is not None else "id"
        name = f"index_{name}" if name in frame.columns else name
        frame.insert(0, name, list(index))
    return frame


def _counts_rows(index):
    """Whether an index only numbers the rows."""
    values = list(index)
    return values in (list(range(len(values))), list(range(1, len(values) + 1)))


def _read_csv(path, header):
    return _read_delimited(path, ",", header)


def _read_tsv(path, header):
    return _read_delimited(path, "\t", header)


def _read_delimited(path, delimiter, header):
    import pandas as pd

    csv.field_size_limit(LARGEST_FIELD)
    text = read_text(path)
    first = text.split("\n", 1)[0]
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"  # as spreadsheets write where the comma is the decimal point
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    except csv.Error as error:
        raise ValueError(f"{path} is not a {suffix_of(path)[1:].upper()} table: {error}") from error
    lines = [line for line in lines if line]
    names = lines.pop(0) if header else [str(n) for n in range(1, len(lines[0]) + 1)]
    rows, problems = [], {}
    for number, line in enumerate(lines, start=1):
        if len(line) != len(names):
            problems[number] = f"it has {len(line)} fields, but the header has {len(names)}"
            line = [None] * len(names)
        rows.append([cell or None for cell in line])
    return pd.DataFrame(rows, columns=names, dtype=object), problems


def _read_excel(path, header):
    import pandas as pd

    try:
        import openpyxl  # noqa: F401
    except ImportError as error:
        raise ImportError(NEEDS_EXCEL) from error
    try:
        frame = pd.read_excel(path, header=0 if header else None, dtype=object, engine="openpyxl")
    except (ValueError, KeyError, BadZipFile) as error:
        raise ValueError(f"{path} is not an Excel file (.xlsx): {error}") from error
    if not header:
        frame.columns = [str(n) for n in range(1, frame.shape[1] + 1)]
    return frame.astype(object).where(frame.notna(), None), {}


def _read_parquet(path, header):
    return read_parquet(path), {}


def _read_json(path, header):
    return read_json(path), {}


def _read_json_lines(path, header):
    return read_json_lines(path)


def _read_trajectory(path, header):
    from .ase_files import read_trajectory

    return read_trajectory(path), {}


def _read_database(path, header):
    from .ase_files import read_database

    return read_database(path), {}


READERS = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".json": _read_json,
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
    ".xlsx": _read_excel,
    ".extxyz": _read_trajectory,
    ".xyz": _read_trajectory,
    ".traj": _read_trajectory,
    ".db": _read_database,
}


def check_column(frame, name, source, route=PYTHON):
    """Raise ValueError unless the table has the column; suggest the nearest name."""
    if name in frame.columns:
        return
    close = difflib.get_close_matches(str(name), frame.columns, n=1)
    advice = f" Did you mean {close[0]!r}?" if close else ""
    data = find_data(frame.columns)
    if data is not None:
        advice += f" {MISSING_HEADER.format(name=data, **route)}.".capitalize()
    raise ValueError(
        f"{source} has no column {name!r}; its columns are: {', '.join(frame.columns)}.{advice}"
    )


def find_data(names):
    """The first name of a column that is a value, if the table has no header and no one said so."""
    if list(names) == [str(n) for n in range(1, len(names) + 1)]:
        return None  # the names that columns without a header are given
    return next((name for name in names if _looks_like_data(name)), None)


def _looks_like_data(name):
    try:
        float(name)
    except ValueError:
        return name.lower().endswith((".cif", ".vasp"))
    return True


def check_no_numbers(column, source, route=PYTHON):
    """Raise ValueError if the column of the crystals contains only numbers."""
    import pandas as pd

    known = column.dropna()
    numbers = [cell for cell in known if isinstance(cell, str | int | float)]
    if len(known) and len(numbers) == len(known):
        if pd.to_numeric(known.astype(str), errors="coerce").notna().all():
            raise ValueError(
                f"the column {column.name} of {source} contains numbers (the first is "
                f"{known.iloc[0]}), not crystals: name another column with {route['column']} or, "
                f"if these are file names, their folder with {route['folder']}."
            )
