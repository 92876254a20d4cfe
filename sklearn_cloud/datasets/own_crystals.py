"""Crystals of one's own, from files, folders, tables and Python objects."""

import warnings

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
    """Read crystals with their ids and targets, as ``sklearn-cloud fit`` does.

    Parameters
    ----------
    source : str, path, DataFrame, Series, list or dict
        - A folder of crystal files, searched with its subfolders; hidden files are passed over.
        - A file: CIF, POSCAR, CONTCAR, ``.vasp``, ``.xsf``, extended XYZ, ``.mcif`` (without its
          spins), JSON of pymatgen or ASE, a trajectory or database of ASE; compressed or not.
          One that has several crystals gives a row each.
        - A table: CSV, TSV, JSON, JSON lines, Parquet or Excel, compressed or not, MatBench's
          ``.json.gz`` and the tables of JARVIS and the Materials Project among them.
        - A data frame, a list of structures, dictionaries, entries or paths, or the answer of a
          server with its ``data``.
    target : str, default=None
        Column of the targets.
    column : str, default=None
        Column of the crystals: structures, CIF text, JSON text, paths or formulas. None takes the
        first of structure, cif, atoms, file, path, filename, formula, composition.
    folder : str or path, default=None
        Where the files are that the table names by an id, with or without their suffix.
    header : bool, default=True
        Whether the table has names of columns; without they are "1", "2", ...
    on_error : {"raise", "warn"}, default="raise"
        What to do with rows that cannot be read, or have no target: `"raise"` names all of them
        in one error, `"warn"` leaves them out and names them in one warning.
    n_jobs : int, default=None
        Number of joblib workers that read files; None is 1 unless in a `joblib.parallel_config`
        context.
    verbose : int, default=0
        Above 0 shows a progress bar.

    Returns
    -------
    sklearn.utils.Bunch
        With the attributes

        crystals : ndarray of shape (n_crystals,), object
            As every estimator and transformer of this package takes them. They are read and
            checked already.
        ids : ndarray of shape (n_crystals,), object
            From the column id, material_id, jid, ... or the names of the files.
        target : ndarray of shape (n_crystals,) or None
            Numbers where all are numbers, else as they stand in the table.
        frame : pandas.DataFrame
            All that the table says, without the column of the structures.

    Raises
    ------
    ImportError
        If the package that reads a format is missing; the message says how to install it.
    ValueError
        If there is nothing to read, a column does not exist (the nearest name is suggested), or
        rows cannot be read; the message names them all.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_cloud.datasets import read_crystals
    >>> table = pd.DataFrame({"formula": ["NaCl", "MgO"], "gap": [8.5, 7.8]}, index=["a", "b"])
    >>> data = read_crystals(table, "gap")
    >>> data.ids.tolist(), data.target.tolist(), len(data.crystals)
    (['a', 'b'], [8.5, 7.8], 2)
    """
    from sklearn.utils import Bunch

    from ..crystals.collection import collect
    from ..crystals.table_files import check_column

    if on_error not in ("raise", "warn"):
        raise ValueError(f"on_error must be 'raise' or 'warn', got {on_error!r}.")
    found = collect(source, header=header, column=column, folder=folder)
    if target is not None:
        check_column(found.frame, target, found.source)
    crystals, problems = _read(found, n_jobs, verbose)
    if target is not None:
        for place in np.flatnonzero(found.frame[target].isna()):
            problems.setdefault(found.names[place], f"its {target} is missing")
    kept = _keep_good(found, problems, on_error)
    left = found.take(kept)
    return Bunch(
        crystals=_object_array([crystals[place] for place in kept]),
        ids=_object_array(left.ids),
        target=None if target is None else _numbers(left.frame[target]),
        frame=left.frame,
    )


def _read(found, n_jobs, verbose):
    """A crystal of each row (None where there is none), and what is wrong by the row's name."""
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
    """Places of the rows without a problem, or one error that names the others."""
    bad = {name: problems[name] for name in found.names if name in problems}
    kept = [place for place, name in enumerate(found.names) if name not in bad]
    if bad:
        shown = "".join(f"\n  {name}: {problem:.300}" for name, problem in list(bad.items())[:20])
        more = f"\n  and {len(bad) - 20} more: {', '.join(list(bad)[20:])}" if len(bad) > 20 else ""
        report = f"{len(bad)} of {len(found)} crystals ({found.source})"
        if on_error == "raise" or not kept:
            from ..crystals.errors import CrystalError

            way_out = ': fix them, or leave them out with on_error="warn"' if kept else ""
            raise CrystalError(f"{report} cannot be used{way_out}:{shown}{more}")
        warnings.warn(f"left out {report}:{shown}{more}", stacklevel=3)
    return kept


def _numbers(column):
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    return column.to_numpy() if numbers.isna().any() else numbers.to_numpy()


def _object_array(values):
    """An array of objects that numpy does not take apart."""
    array = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        array[place] = value
    return array
