"""Crystals of Parquet tables that are larger than the memory, one row group at a time."""

from .collection import choose_column, collect_frame
from .parquet_files import open_parquet, read_row_group, to_frame
from .table_files import PYTHON, check_column


def find_crystal_column(group, column=None, route=PYTHON):
    """Return the name of the column with the crystals.

    Parameters
    ----------
    group : RowGroup
        The first one of the table; only its schema is read.
    column : str, default=None
        The column; None takes the first of `collection.COLUMNS` that exists.
    route : dict
        Names of the options in messages.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    with open_parquet(group.path) as opened:
        frame = to_frame(opened.schema_arrow.empty_table())
    name = column or choose_column(frame, str(group.path), None, route)
    check_column(frame, name, str(group.path), route)
    return name


def read_collection(group, column, columns=()):
    """Return the crystals of a row group.

    Parameters
    ----------
    group : RowGroup
    column : str
        Column with the crystals.
    columns : sequence of str, default=()
        Other columns to read.

    Returns
    -------
    Collection
        Relative paths of crystal files are those from the folder of the Parquet file.
    """
    frame = to_frame(read_row_group(group, [column, *columns]))
    frame = frame.set_axis(range(1, len(frame) + 1))
    return collect_frame(frame, str(group), column=column, base=group.path.absolute().parent)
