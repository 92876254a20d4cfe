"""Crystals and their data, from files, folders, tables and Python objects."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from .crystal_files import is_crystal_file, read_text, split_cif, suffix_of
from .errors import CrystalError
from .limits import LARGEST_FILE
from .table_files import PYTHON, check_column, check_no_numbers, is_table, read_table

#: Columns of a table with crystals, the most informative first; upper or lower case.
STRUCTURE_COLUMNS = ("structure", "cif", "atoms")
PATH_COLUMNS = ("file", "path", "filename")
FORMULA_COLUMNS = ("formula", "composition", "formula_pretty", "pretty_formula")
COLUMNS = (*STRUCTURE_COLUMNS, *PATH_COLUMNS, *FORMULA_COLUMNS)
#: Columns with the names of crystals, the best first.
ID_COLUMNS = ("id", "material_id", "mp_id", "jid", "entry_id", "task_id", "name", *PATH_COLUMNS)
#: Suffixes that are tried to find the file of an id.
_ENDINGS = ("", ".cif", ".vasp", ".cif.gz", ".xsf", ".extxyz", ".json", "/CONTCAR", "/POSCAR")


@dataclass
class Collection:
    """Crystals in their original order; files are not opened yet.

    Attributes
    ----------
    source : str
        Name of the source, for messages.
    frame : pandas.DataFrame
        Data of the crystals, one row each: the columns of output tables.
    items : list
        The crystals, as input of `read_crystal`.
    names : list of str
        Names of the crystals, for messages.
    problems : dict of str to str
        Names of malformed rows, and their problems.
    id_column : str, default=None
        Column of the frame with the names of the crystals; None takes the first of `ID_COLUMNS`.
    crystal_column : str, default=None
        Column of the table with the crystals, which the frame may lack; None if it is no table.
    """

    source: str
    frame: object
    items: list
    names: list
    problems: dict = field(default_factory=dict)
    id_column: str | None = None
    crystal_column: str | None = None

    def __len__(self):
        return len(self.items)

    def take(self, places):
        """Return the collection of some rows, in their order; `places` is a slice or a list."""
        chosen = range(len(self))[places] if isinstance(places, slice) else places
        names = [self.names[place] for place in chosen]
        return Collection(
            self.source,
            self.frame.iloc[list(chosen)].reset_index(drop=True),
            [self.items[place] for place in chosen],
            names,
            {name: self.problems[name] for name in names if name in self.problems},
            self.id_column,
            self.crystal_column,
        )

    @property
    def ids(self):
        """Return a name of each crystal; its row number if there is no column of ids."""
        for column in (self.id_column, *ID_COLUMNS):
            if column in self.frame.columns:
                return self.frame[column].tolist()
        return [str(number) for number in range(1, len(self) + 1)]


def collect_files(paths, home=None):
    """Return the collection of crystal files.

    Parameters
    ----------
    paths : list of path
    home : path, default=None
        File names in the frame are relative to this folder; None leaves them unchanged.
    """
    import pandas as pd

    names = [str(path) for path in paths]
    files = names if home is None else [os.path.relpath(path, home) for path in paths]
    frame = pd.DataFrame({"file": files})
    return Collection(f"{len(paths)} files", frame, [Path(path) for path in paths], names)


def collect_file(path, *, home=None, **options):
    """Return the collection of one file: a table, or one or several crystals.

    Parameters
    ----------
    path : pathlib.Path
    home : path, default=None
        As in `collect_files`.
    **options
        Options of `collect_table`.
    """
    if is_table(path):
        return collect_table(path, home=home, **options)
    if suffix_of(path) in (".cif", ".mcif"):
        blocks = split_cif(read_text(path, strict=False, limit=LARGEST_FILE))
        if len(blocks) > 1:
            return _collect_blocks(path, blocks)
    return collect_files([path], home)


def _collect_blocks(path, blocks):
    """Return a row for each crystal of a CIF file with several."""
    import pandas as pd

    names = [f"{path}, block {name}" for name, _ in blocks]
    frame = pd.DataFrame({"file": str(path), "block": [name for name, _ in blocks]})
    return Collection(str(path), frame, [text for _, text in blocks], names)


def collect_table(path, *, header=True, column=None, folder=None, home=None, route=PYTHON):
    """Return the collection of a table.

    Parameters
    ----------
    path : pathlib.Path
    header : bool, default=True
        As in `read_table`.
    column : str, default=None
        Column of the crystals; None takes the first of `COLUMNS` that exists.
    folder : path, default=None
        Folder of the files that the column names, with or without their suffix. The column is
        then the first of `ID_COLUMNS`, or else the first of the table.
    home : path, default=None
        Paths in the frame are relative to this folder instead of that of the table.
    route : dict
        Names of these options in messages.

    Returns
    -------
    Collection
        Its frame has the column of the crystals only if it contains paths or formulas.
    """
    path = Path(path)
    frame, malformed = read_table(path, header)
    found = collect_frame(
        frame,
        str(path),
        malformed=malformed,
        column=column,
        folder=folder,
        base=path.absolute().parent,
        home=home,
        route=route,
    )
    if not len(found.frame.columns):  # nothing but crystals: give at least their source
        found.frame["file"] = str(path) if home is None else os.path.relpath(path, home)
    return found


def collect_frame(
    frame,
    source,
    *,
    malformed=None,
    column=None,
    folder=None,
    base=None,
    home=None,
    route=PYTHON,
):
    """As `collect_table`, for a frame in memory; `base` is the folder of relative paths."""
    column = column or choose_column(frame, source, folder, route)
    check_column(frame, column, source, route)
    if folder is None:
        check_no_numbers(frame[column], source, route)
    base = Path.cwd() if base is None else base
    cells = frame[column].tolist()
    if folder is None:
        items = [_open_cell(cell, base, column.lower() in PATH_COLUMNS) for cell in cells]
    else:
        items = find_by_id(cells, Path(folder))
    names = [_name_row(number, cell) for number, cell in zip(frame.index, cells)]
    problems = {f"row {number}": problem for number, problem in (malformed or {}).items()}
    for name, item in zip(names, items):
        if isinstance(item, Exception):
            problems.setdefault(name, str(item))
    if any(_is_bulky(cell) for cell in cells):
        frame = frame.drop(columns=column)
    elif folder is None and home not in (None, base):
        moved = [_move(item, cell, home) for item, cell in zip(items, cells)]
        frame = frame.assign(**{column: moved})
    id_column = None if folder is None else column
    frame = frame.reset_index(drop=True)
    return Collection(source, frame, items, names, problems, id_column, column)


def check_data_column(crystals, name, option, route=PYTHON):
    """Check that a column of a table can be used for something else than the crystals.

    Parameters
    ----------
    crystals : Collection
    name : str
    option : str
        The option that named the column.
    route : dict
        As in `collect_table`.

    Raises
    ------
    ValueError
        If there is no such column, or it is that of the crystals.
    """
    if name == crystals.crystal_column:
        others = [column for column in crystals.frame.columns if column != name]
        raise ValueError(
            f"{option} is {name!r}, the column of the crystals of {crystals.source}. Name another "
            f"column ({', '.join(others) or 'there is none'}), or that of the crystals with "
            f"{route['column']}."
        )
    check_column(crystals.frame, name, crystals.source, route)


def find_by_id(ids, folder):
    """Return the file of each id, or an error if there is none."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {str(folder)!r}.")
    found = []
    for one in ids:
        name = "" if one is None or one != one else str(one)
        paths = (Path(folder, f"{name}{ending}") for ending in _ENDINGS)
        path = next((path for path in paths if name and path.is_file()), None)
        found.append(path or ValueError(f"there is no file {name!r} or {name}.cif in {folder}"))
    return found


def choose_column(frame, source, folder, route):
    known = ID_COLUMNS if folder is not None else COLUMNS
    by_lower = {str(column).lower(): column for column in reversed(frame.columns)}
    for name in known:
        if name in by_lower:
            return by_lower[name]
    from .table_files import MISSING_HEADER, find_data

    data = find_data(frame.columns)
    missing_header = "" if data is None else MISSING_HEADER.format(name=data, **route)
    if folder is not None:
        if missing_header:
            raise ValueError(
                f"{source} has no column {', '.join(ID_COLUMNS[:-1])} or {ID_COLUMNS[-1]}; name "
                f"the one with the ids by {route['column']}, or, {missing_header}."
            )
        return frame.columns[0]
    advice = f" Or {missing_header}." if missing_header else ""
    raise ValueError(
        f"{source} has no column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}; name the column of "
        f"the crystals with {route['column']} or, if it lists file names, their folder with "
        f"{route['folder']}. Its columns are: {', '.join(frame.columns)}.{advice}"
    )


def _open_cell(cell, base, is_path):
    """Convert a path to a `Path` and an empty cell to an error; return others unchanged."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return CrystalError("the crystal is missing: the cell of the table is empty")
    if isinstance(cell, os.PathLike):
        return base / cell
    if not isinstance(cell, str) or "\n" in cell.strip() or cell.lstrip().startswith("{"):
        return cell
    is_path = is_path or is_crystal_file(cell)
    # file names have at most 255 characters; looking for a longer one is an error
    return base / cell if is_path or (len(cell) < 256 and (base / cell).is_file()) else cell


def _is_bulky(cell):
    """Whether a cell is a crystal too long for an output table."""
    if isinstance(cell, str):
        return "\n" in cell.strip() or cell.lstrip().startswith("{")
    return not (cell is None or cell != cell or isinstance(cell, int | float | os.PathLike))


def _name_row(number, cell):
    short = isinstance(cell, str) and "\n" not in cell and len(cell) < 80
    return f"row {number} ({cell})" if short else f"row {number}"


def _move(item, cell, home):
    """Return a path of a table, relative to another folder."""
    if not isinstance(item, Path) or Path(cell).is_absolute():
        return cell
    return os.path.relpath(item, home)
