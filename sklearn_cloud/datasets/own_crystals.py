"""Read your own crystals from files, folders, tables and Python objects."""

import os
import warnings
from pathlib import Path

import numpy as np


def read_crystals(
    source,
    target=None,
    *,
    column=None,
    folder=None,
    header=True,
    on_error="raise",
    n_jobs=None,
    verbose=0,
):
    """Read crystals with their ids and targets.

    Parameters
    ----------
    source : str, path, DataFrame, Series, list or dict
        - A folder of crystal files, searched with its subfolders; hidden files are ignored.
        - A file: CIF, POSCAR, CONTCAR, ``.vasp``, ``.xsf``, extended XYZ, ``.mcif`` (without its
          spins), JSON of pymatgen or ASE, a trajectory or database of ASE; compressed or not.
          A file with several crystals gives a row for each.
        - A table: CSV, TSV, JSON, JSON lines, Parquet or Excel, compressed or not, including
          MatBench's ``.json.gz`` and the tables of JARVIS and the Materials Project.
        - A data frame, a list of structures, dictionaries, entries or paths, or the response of a
          server with ``data``.
    target : str, default=None
        Column of the targets.
    column : str, default=None
        Column of the crystals: structures, CIF text, JSON text, paths or formulas. None takes the
        first of structure, cif, atoms, file, path, filename, formula, composition.
    folder : str or path, default=None
        Folder of the files that the table names by an id, with or without their suffix.
    header : bool, default=True
        Whether the table has a header; otherwise its columns are "1", "2", ...
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that cannot be read or have no target: `"raise"` lists all of them in
        one error, `"warn"` skips them and lists them in one warning.
    n_jobs : int, default=None
        Number of joblib workers that read files; None means 1 unless in a
        `joblib.parallel_config` context.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    sklearn.utils.Bunch
        With the attributes

        crystals : ndarray of shape (n_crystals,), object
            Input for every estimator and transformer of this package, already read and checked.
        ids : ndarray of shape (n_crystals,), object
            From the column id, material_id, jid, ..., or the file names.
        target : ndarray of shape (n_crystals,) or None
            Numbers if all of them are numbers, else the values in the table.
        target_name : str or None
            The column of the targets.
        frame : pandas.DataFrame
            The table without the column of the structures.

    Raises
    ------
    ImportError
        If a package for a format is missing; the message has the pip command.
    ValueError
        If there is nothing to read, a column does not exist (the nearest name is suggested), or
        rows cannot be read; the message lists all of them.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_cloud.datasets import read_crystals
    >>> table = pd.DataFrame({"formula": ["NaCl", "MgO"], "gap": [8.5, 7.8]}, index=["a", "b"])
    >>> data = read_crystals(table, "gap")
    >>> data.ids.tolist(), data.target.tolist(), len(data.crystals)
    (['a', 'b'], [8.5, 7.8], 2)
    """
    from ..crystals.collection import check_data_column
    from .crystal_data import CrystalData

    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error must be 'raise' or 'warn', got {on_error!r}.")
    found = _collect(source, header, target, {"column": column, "folder": folder})
    if target is not None:
        check_data_column(found, target, "target")
    crystals, problems = _read(found, n_jobs, verbose)
    if target is not None:
        for place in np.flatnonzero(found.frame[target].isna()):
            problems.setdefault(found.names[place], f"its {target} is missing")
    kept = _keep_good(found, problems, on_error)
    left = found.take(kept)
    return CrystalData(
        crystals=_object_array([crystals[place] for place in kept]),
        ids=_object_array(left.ids),
        target=None if target is None else _numbers(left.frame[target]),
        target_name=target,
        frame=left.frame,
    )


def _collect(source, header, target, options):
    """Return the `Collection` of a source of `read_crystals`."""
    from ..crystals.collection import collect_file, collect_files, collect_frame
    from ..crystals.crystal_files import search_folder
    from ..crystals.json_tables import frame_of
    from ..crystals.table_files import check_frame

    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.is_dir():
            return collect_files(search_folder(path)[0])
        if not path.exists():
            raise ValueError(f"there is no file or folder {str(path)!r}.")
        return collect_file(path, header=header, **options)
    if hasattr(source, "columns"):
        frame = source if hasattr(source, "iloc") else source.to_pandas()
        return collect_frame(check_frame(frame, "the table"), "the table", **options)
    if isinstance(source, dict):
        frame = check_frame(frame_of(source, "the dictionary"), "the dictionary")
        return collect_frame(frame, "the dictionary", **options)
    return _collect_items(source, target, options)


def _collect_items(source, target, options):
    """Return the collection of a list of dictionaries, paths, or other objects."""
    from ..crystals.collection import Collection, collect_files, collect_frame
    from ..crystals.crystal_files import as_path
    from ..crystals.items import as_items
    from ..crystals.json_tables import frame_of
    from ..crystals.table_files import check_frame

    items = [as_path(item) for item in as_items(source)]
    if all(isinstance(item, dict) for item in items):
        frame = check_frame(frame_of(items, "the list"), "the list")
        return collect_frame(frame, "the list", **options)
    index = getattr(source, "index", None)
    labels = index.tolist() if hasattr(index, "tolist") else list(range(len(items)))
    if labels == list(range(len(items))) and all(isinstance(item, os.PathLike) for item in items):
        return collect_files(items)
    names = [f"row {row}" for row in range(len(items))]
    return Collection(f"{len(items)} items", _describe_items(items, labels, target), items, names)


def _describe_items(items, labels, target):
    """Return data of objects: the labels of a Series; ids, energies and targets of entries."""
    import pandas as pd

    if labels != list(range(len(items))):
        return pd.DataFrame({"id": labels})
    if not all(hasattr(item, "structure") for item in items):
        return pd.DataFrame(index=range(len(items)))
    fields = dict.fromkeys(["material_id", "entry_id", "energy", "energy_per_atom", target])
    known = [{name: getattr(item, name or "", None) for name in fields} for item in items]
    return pd.DataFrame(known).dropna(axis=1, how="all")


def _read(found, n_jobs, verbose):
    """Return the crystal of each row, or None, and the problems by the row's name."""
    from ..crystals.rows import compute_rows, warn_notes

    rows = compute_rows(
        found.items,
        list,
        n_jobs=n_jobs,
        label="reading" if verbose else None,
        on_error="keep",
    )
    warn_notes(rows, stacklevel=4)
    crystals = [rows.results[place] if place >= 0 else None for place in rows.places]
    problems = dict(found.problems)
    for row, error in rows.errors.items():
        problems.setdefault(found.names[row], str(error))
    return crystals, problems


def _keep_good(found, problems, on_error):
    """Return the indices of the good rows, or raise one error that lists the bad rows."""
    bad = {name: problems[name] for name in found.names if name in problems}
    kept = [place for place, name in enumerate(found.names) if name not in bad]
    if bad:
        shown = "".join(f"\n  {name}: {problem:.300}" for name, problem in list(bad.items())[:20])
        more = f"\n  and {len(bad) - 20} more: {', '.join(list(bad)[20:])}" if len(bad) > 20 else ""
        report = f"{len(bad)} of {len(found)} crystals ({found.source})"
        if on_error == "raise" or not kept:
            from ..crystals.errors import CrystalError

            way_out = ': fix them, or skip them with on_error="warn"' if kept else ""
            raise CrystalError(f"{report} cannot be used{way_out}:{shown}{more}")
        warnings.warn(f"skipped {report}:{shown}{more}", stacklevel=3)
    return kept


def _numbers(column):
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    return column.to_numpy() if numbers.isna().any() else numbers.to_numpy()


def _object_array(values):
    """Return an object array, without splitting structures into sites."""
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array
