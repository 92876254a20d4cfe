"""Tables in and out; what they are shows from the suffix of the file."""

import csv
import json

from ..files import atomic_write
from .messages import UsageError, standard_output
from .outputs import check_file

SUFFIXES = (".csv", ".tsv", ".json", ".parquet")
LARGEST_FIELD = 2**31 - 1  # characters; the text of a large CIF is longer than Python's own limit
NEEDS_PYARROW = "Parquet files need pyarrow: pip install pyarrow, or use CSV or JSON."


def is_table(path):
    return path.suffix.lower() in SUFFIXES


def check_table_name(path):
    """Raise UsageError unless a table of that name can be written."""
    if not is_table(path):
        raise UsageError(
            f"{path}: cannot tell the format, name a file that ends in {', '.join(SUFFIXES)}."
        )


def check_output(arguments):
    """Raise an error, before the work begins, if `arguments.output` cannot be written.

    None is standard output.
    """
    if arguments.output is not None:
        check_table_name(arguments.output)
        check_file(arguments.output, arguments.overwrite)


def read_table(path):
    """Read a table.

    Parameters
    ----------
    path : pathlib.Path
        Columns of CSV and TSV stay text, so that they are written again as they were. JSON is a
        list of records, or pandas' "split" form.

    Returns
    -------
    frame : pandas.DataFrame
        Its index counts the rows from 1.
    problems : dict of int to str
        Rows that are malformed, and empty in the frame.

    Raises
    ------
    ValueError
        If the file is no such table or has no rows.
    """
    kind = path.suffix.lower()
    try:
        if kind == ".parquet":
            frame, problems = _read_parquet(path), {}
        elif kind == ".json":
            frame, problems = _read_json(path), {}
        else:
            frame, problems = _read_csv(path, "\t" if kind == ".tsv" else ",")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8 ({error}): save it as such.") from error
    if not len(frame):
        raise ValueError(f"{path} has no rows.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"{path} has two columns {twice!r}: rename one.")
    return frame, problems


def _read_csv(path, delimiter):
    import pandas as pd

    csv.field_size_limit(LARGEST_FIELD)
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            lines = [line for line in csv.reader(file, delimiter=delimiter) if line]
        except csv.Error as error:
            raise ValueError(f"{path} is not a {path.suffix[1:].upper()} table: {error}") from error
    if not lines:
        raise ValueError(f"{path} is empty.")
    header, *lines = lines
    rows, problems = [], {}
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            problems[number] = f"it has {len(line)} fields, the header has {len(header)}"
            line = [None] * len(header)
        rows.append([cell or None for cell in line])
    frame = pd.DataFrame(rows, index=range(1, len(rows) + 1), columns=header, dtype=object)
    return frame, problems


def _read_json(path):
    import pandas as pd

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        frame = pd.DataFrame(content)
    elif isinstance(content, dict) and {"columns", "data"} <= set(content):
        frame = pd.DataFrame(content["data"], columns=content["columns"])
    else:
        raise ValueError(f"{path} is neither a list of records nor pandas' 'split' form.")
    frame.index = range(1, len(frame) + 1)
    return frame


def _read_parquet(path):
    import pandas as pd

    try:
        import pyarrow
    except ImportError:
        raise ImportError(NEEDS_PYARROW) from None
    try:
        frame = pd.read_parquet(path)
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{path} is not a Parquet file: {error}") from error
    frame.index = range(1, len(frame) + 1)
    return frame


def check_column(frame, name, path):
    """Raise ValueError unless the table has the column."""
    if name not in frame.columns:
        raise ValueError(f"{path} has no column {name!r}; it has: {', '.join(frame.columns)}.")


def check_no_numbers(column, path):
    """Raise ValueError if a column that should hold crystals holds nothing but numbers."""
    import pandas as pd

    known = column.dropna()
    if len(known) and pd.to_numeric(known.astype(str), errors="coerce").notna().all():
        raise ValueError(
            f"the column {column.name} of {path} holds numbers (the first is {known.iloc[0]}), no "
            f"crystals: name another one with --column."
        )


def write_table(frame, path):
    """Write a table, to standard output as CSV where `path` is None.

    The file appears when it is complete.
    """
    if path is None:
        with standard_output() as stream:
            frame.to_csv(stream, index=False)
        return
    kind = path.suffix.lower()
    with atomic_write(path) as temporary:
        if kind == ".parquet":
            try:
                frame.to_parquet(temporary, index=False)
            except ImportError:
                raise ImportError(NEEDS_PYARROW) from None
        elif kind == ".json":
            frame.to_json(
                temporary, orient="records", indent=1, double_precision=15, force_ascii=False
            )
        else:
            frame.to_csv(temporary, index=False, sep="\t" if kind == ".tsv" else ",")


def add_columns(frame, columns, path):
    """A frame with further columns.

    Raises
    ------
    ValueError
        If the table has a column of that name already.
    """
    import pandas as pd

    taken = [name for name in columns if name in frame.columns]
    if taken:
        raise ValueError(f"{path} has a column {taken[0]!r} already: rename or remove it.")
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
