"""The crystals that a command was given: found, read, turned into strings."""

import glob
import os
from dataclasses import dataclass, field
from pathlib import Path

from .messages import UsageError, describe_error, list_problems, note, show_progress
from .tables import check_column, check_no_numbers, is_table, read_table

#: Columns of a table that hold crystals, the one that says most first.
STRUCTURE_COLUMNS = ("structure", "cif")
PATH_COLUMNS = ("file", "path", "filename")
FORMULA_COLUMNS = ("formula", "composition")
COLUMNS = (*STRUCTURE_COLUMNS, *PATH_COLUMNS, *FORMULA_COLUMNS)
CHUNK = 32  # crystals that travel to a process at a time


@dataclass
class Crystals:
    """Crystals in the order in which they were given.

    Attributes
    ----------
    source : str
        Where they are from.
    frame : pandas.DataFrame
        What is known of each: one row per crystal, the columns that go into the output.
    items : list
        Each crystal, as `symmetry_string` takes it or as the dictionary of a pymatgen Structure.
    names : list of str
        What messages call each.
    problems : dict of str to str
        Names of malformed rows, and what is wrong with them.
    """

    source: str
    frame: object
    items: list
    names: list
    problems: dict = field(default_factory=dict)


def find_crystals(arguments, output=None):
    """Find the crystals of a command line; only a table is opened.

    Parameters
    ----------
    arguments : argparse.Namespace
    output : pathlib.Path, default=None
        Table to be written: paths in it will be relative to its folder.

    Returns
    -------
    Crystals

    Raises
    ------
    UsageError
        If there is more than one table, or a table beside other files.
    ValueError
        If there is nothing of that name.
    """
    paths = list(dict.fromkeys(path for text in arguments.crystals for path in _expand(text)))
    tables = [path for path in paths if is_table(path)]
    folder = Path.cwd() if output is None else output.absolute().parent
    if tables and len(paths) > 1:
        raise UsageError(
            f"{tables[0]} is one of {len(paths)} files: give crystal files, or one table alone."
        )
    if tables:
        return read_crystal_table(tables[0], arguments.column, folder)
    if arguments.column:
        raise UsageError("--column is for tables, and there is none.")
    return _list_files(paths, folder)


def _expand(text):
    """Files that one argument stands for."""
    if os.path.isdir(text):
        return search_folder(Path(text))
    if os.path.exists(text):
        return [Path(text)]
    if not glob.has_magic(text):
        raise ValueError(f"there is no file or folder {text!r}.")
    found = [Path(path) for path in sorted(glob.glob(text, recursive=True))]
    if not found:
        raise ValueError(f"no file matches {text!r}.")
    return [file for path in found for file in (search_folder(path) if path.is_dir() else [path])]


def search_folder(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    crystals = [path for path in files if path.suffix.lower() == ".cif"]
    if not crystals:
        raise ValueError(f"there are no .cif files in the folder {str(folder)!r}.")
    others = sorted({path.suffix or path.name for path in files} - {".cif", ".CIF"})
    if others:
        note(
            f"{folder}: {len(crystals)} .cif files; {len(files) - len(crystals)} others are left "
            f"alone ({', '.join(others[:5])})"
        )
    return crystals


def _list_files(paths, folder):
    import pandas as pd

    names = [str(path) for path in paths]
    frame = pd.DataFrame({"file": [os.path.relpath(path, folder) for path in paths]})
    return Crystals(f"{len(paths)} files", frame, paths, names)


def read_crystal_table(path, column=None, folder=None):
    """Open a table with a column of crystals.

    Parameters
    ----------
    path : pathlib.Path
    column : str, default=None
        None takes the first of `COLUMNS` that is there.
    folder : pathlib.Path, default=None
        Paths in the frame will be relative to it instead of the folder of the table.

    Returns
    -------
    Crystals
        Without the column of the crystals in the frame, where it is not paths or formulas.
    """
    frame, malformed = read_table(path)
    column = column or _choose_column(frame, path)
    check_column(frame, column, path)
    check_no_numbers(frame[column], path)
    home = path.absolute().parent
    cells = frame[column].tolist()
    items = [_open_cell(cell, home, column in PATH_COLUMNS) for cell in cells]
    names = [_name_row(number, cell) for number, cell in zip(frame.index, cells)]
    problems = {f"row {number}": problem for number, problem in malformed.items()}
    if any(isinstance(cell, dict) or "\n" in str(cell) for cell in cells):
        frame = frame.drop(columns=column)
    elif folder not in (None, home):
        moved = [_move(item, cell, folder) for item, cell in zip(items, cells)]
        frame = frame.assign(**{column: moved})
    return Crystals(str(path), frame.reset_index(drop=True), items, names, problems)


def _choose_column(frame, path):
    for column in COLUMNS:
        if column in frame.columns:
            return column
    raise ValueError(
        f"{path} has no column {', '.join(COLUMNS[:-1])} or {COLUMNS[-1]}; name the one that "
        f"holds the crystals with --column. It has: {', '.join(frame.columns)}."
    )


def _open_cell(cell, home, is_path):
    """A path becomes a `Path`; everything else stays what it is."""
    if not isinstance(cell, str) or "\n" in cell.strip():
        return cell
    is_path = is_path or cell.lower().endswith(".cif")
    # the name of a file has at most 255 characters, and asking for a longer one is an error
    return home / cell if is_path or (len(cell) < 256 and (home / cell).is_file()) else cell


def _name_row(number, cell):
    short = isinstance(cell, str) and "\n" not in cell and len(cell) < 80
    return f"row {number} ({cell})" if short else f"row {number}"


def _move(item, cell, folder):
    """A path of a table, as seen from another folder."""
    if not isinstance(item, Path) or Path(cell).is_absolute():
        return cell
    return os.path.relpath(item, folder)


def read_strings(crystals, options, arguments, problems=None):
    """Write the symmetry string of each crystal.

    Parameters
    ----------
    crystals : Crystals
    options : dict
        Parameters of `symmetry_string`.
    arguments : argparse.Namespace
        With `jobs`, `skip_bad` and `quiet`.
    problems : dict of str to str, default=None
        Names of crystals that cannot be used for another reason.

    Returns
    -------
    strings : list of str
    crystals : Crystals
        Those that have a string, and no problem.

    Raises
    ------
    ValueError
        If a crystal cannot be used, without `skip_bad`; or if none can. All of them are named.
    """
    results = dict(zip(crystals.names, _read_all(crystals.items, options, arguments)))
    unreadable = {
        name: problem.removeprefix(f"{name!r} ")
        for name, (_, problem) in results.items()
        if problem
    }
    problems = _join_problems(crystals, problems or {}, unreadable)
    crystals = _drop_bad(crystals, problems, arguments.skip_bad)
    return [results[name][0] for name in crystals.names], crystals


def _read_all(items, options, arguments):
    from joblib import Parallel, delayed
    from tqdm.auto import tqdm

    progress = {"total": len(items), "desc": "symmetry", "unit": "crystal"}
    with tqdm(**progress, disable=not show_progress(arguments)) as bar:
        if arguments.jobs == 1:
            found = ([_read_one(item, options)] for item in items)
        else:
            # a worker that joblib has kept may be at home in another folder
            items = [item.absolute() if isinstance(item, Path) else item for item in items]
            chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
            pool = Parallel(n_jobs=arguments.jobs, return_as="generator")
            found = pool(delayed(_read_chunk)(chunk, options) for chunk in chunks)
        for results in found:
            bar.update(len(results))
            yield from results


def _read_chunk(items, options):
    return [_read_one(item, options) for item in items]


def _read_one(item, options):
    """(string, None) or (None, what is wrong)."""
    from ..symmetry.strings import symmetry_string

    try:
        return symmetry_string(open_item(item), **options), None
    except (TypeError, ValueError, OSError) as error:
        return None, describe_error(error)


def open_item(item):
    """An item of `Crystals` as `symmetry_string` takes it.

    Raises
    ------
    ValueError
        If it is an empty cell, or a dictionary that is no structure.
    """
    if item is None or item != item:
        raise ValueError("there is no crystal, the cell is empty")
    if not isinstance(item, dict):
        return item
    from pymatgen.core import Structure

    try:
        return Structure.from_dict(item)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"it is not the dictionary of a pymatgen Structure: {error!r}") from error


def _drop_bad(crystals, problems, skip_bad):
    """The crystals without a problem; an error if there are others, or none."""
    if not problems:
        return crystals
    left = [place for place, name in enumerate(crystals.names) if name not in problems]
    report = f"{len(problems)} of {len(crystals.names)} crystals ({crystals.source})"
    if not skip_bad or not left:
        advice = "mend them, or leave them out with --skip-bad" if left else "none is left"
        raise ValueError(f"{report} cannot be used; {advice}:{list_problems(problems)}")
    note(f"left out {report}:{list_problems(problems)}")
    return Crystals(
        crystals.source,
        crystals.frame.iloc[left].reset_index(drop=True),
        [crystals.items[place] for place in left],
        [crystals.names[place] for place in left],
    )


def _join_problems(crystals, *others):
    """All that is wrong with each crystal, in their order; a malformed row has nothing else."""
    joined = {}
    for name in crystals.names:
        found = [problems[name] for problems in others if name in problems]
        found = [crystals.problems[name]] if name in crystals.problems else found
        if found:
            joined[name] = "; ".join(found)
    return joined
