"""Write tables row by row, in the format given by the suffix of the file."""

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .messages import UsageError, standard_output
from .outputs import check_file, new_file

SUFFIXES = (".csv", ".tsv", ".json", ".parquet")


def check_output(arguments):
    """Check, before the work begins, that `arguments.output` can be written.

    None means standard output.
    """
    if arguments.output is None:
        return
    if arguments.output.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{arguments.output}: unknown table format; choose a file name that ends in "
            f"{', '.join(SUFFIXES)}."
        )
    check_file(arguments.output, arguments.overwrite)


@contextmanager
def open_table(path, whole=None):
    """Give a function that appends a frame to a new table.

    The file appears when it is complete.

    Parameters
    ----------
    path : pathlib.Path or None
        None writes CSV to standard output, once the table is complete.
    whole : pandas.DataFrame, default=None
        Rows with the columns of all frames: Parquet takes the types of the columns from them.
    """
    if path is not None:
        with new_file(path) as temporary, _writer(temporary, path.suffix.lower(), whole) as append:
            yield append
        return
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder, "table.csv")
        with _writer(temporary, ".csv", whole) as append:
            yield append
        with standard_output() as stream, open(temporary, encoding="utf-8", newline="") as file:
            shutil.copyfileobj(file, stream)


def write_table(frame, path):
    """Write a table, or CSV to standard output if `path` is None."""
    with open_table(path) as append:
        append(frame)


@contextmanager
def _writer(path, kind, whole):
    if kind == ".parquet":
        with _parquet_writer(path, whole) as append:
            yield append
        return
    appended = []

    def append(frame):
        first = not appended
        appended.append(len(frame))
        if kind == ".json":
            _append_json(frame, path, first)
        else:
            frame.to_csv(
                path, index=False, sep="\t" if kind == ".tsv" else ",", mode="a", header=first
            )

    yield append
    if kind == ".json":
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n]" if appended else "[]")


def _append_json(frame, path, first):
    """Append records, without the bracket that closes their list."""
    text = frame.to_json(orient="records", indent=1, double_precision=15, force_ascii=False)
    records = text.strip().removeprefix("[").removesuffix("]").rstrip()
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{'[' if first else ','}{records}")


@contextmanager
def _parquet_writer(path, whole):
    from ..crystals.parquet_files import import_parquet

    parquet = import_parquet()
    import pyarrow

    writers = []

    def append(frame):
        if not writers:
            schema = pyarrow.Schema.from_pandas(frame, preserve_index=False)
            known = whole if whole is not None else frame
            for field in pyarrow.Schema.from_pandas(known, preserve_index=False):
                schema = schema.set(schema.get_field_index(field.name), field)
            writers.append(parquet.ParquetWriter(path, schema))
        schema = writers[0].schema
        writers[0].write_table(pyarrow.Table.from_pandas(frame, schema, preserve_index=False))

    try:
        yield append
    finally:
        for writer in writers:
            writer.close()


def add_columns(frame, columns, source):
    """Return the frame with further columns.

    Raises
    ------
    ValueError
        If the table already has a column of that name.
    """
    import pandas as pd

    taken = [name for name in columns if name in frame.columns]
    if taken:
        raise ValueError(f"{source} already has a column {taken[0]!r}: rename or remove it.")
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
