"""Read and check a MatBench table: ids, targets, and crystals or formulas."""

import csv
import gzip
import json
import zlib

import numpy as np


def read_table(path, task, facts, verbose=0):
    """Return the rows of a MatBench table in official order.

    Parameters
    ----------
    path : pathlib.Path
        A pandas "split" table (``.json.gz``), or formula and target (``.csv.gz``).
    task : str
        Name of the task.
    facts : dict
        The task's entry in ``data/matbench_tasks.json``.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    positions : int ndarray of shape (n_rows,)
        Index of each row in the complete table, ascending from 0.
    ids : str ndarray of shape (n_rows,)
        Official ids.
    inputs : object ndarray of shape (n_rows,)
        pymatgen structures, or formula strings.
    target : ndarray of shape (n_rows,)
        float64, or bool in a classification task.

    Raises
    ------
    ValueError
        If the file is damaged, lacks a column, or has an invalid row.
    """
    labels, inputs, target = _read_columns(path, facts, verbose)
    positions, ids = _official_positions(labels, task, facts["n_rows"], path)
    order = np.argsort(positions)
    positions, ids = positions[order], ids[order]
    target = _check_target([target[row] for row in order], ids, facts["task_type"], path)
    check = _check_structure if facts["input"] == "structure" else _check_formula
    return positions, ids, _object_array([inputs[row] for row in order], check, ids, path), target


def _read_columns(path, facts, verbose):
    damaged = (OSError, EOFError, zlib.error, UnicodeDecodeError, json.JSONDecodeError)
    is_csv = path.name.endswith(".csv.gz")
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            table = _read_csv(file) if is_csv else _read_json(file, facts["n_rows"], verbose)
    except damaged as error:
        raise ValueError(f"{path} is damaged ({error}): delete it and download it again") from error
    if not isinstance(table, dict) or not {"index", "columns", "data"} <= set(table):
        raise ValueError(f"{path} is not a table: it needs the keys index, columns and data")
    wanted = ["formula", "target"] if is_csv else [facts["input"], facts["target"]]
    missing = [name for name in wanted if name not in table["columns"]]
    if missing:
        raise ValueError(
            f"{path} lacks the column(s) {missing}; its columns are {table['columns']}"
        )
    wrong = {len(row) for row in table["data"]} - {len(table["columns"])}
    if wrong or len(table["index"]) != len(table["data"]):
        raise ValueError(f"{path} has rows of different lengths, or not one index entry per row")
    inputs, target = (
        [row[table["columns"].index(name)] for row in table["data"]] for name in wanted
    )
    return table["index"], inputs, target


def _read_csv(file):
    columns, *rows = list(csv.reader(file)) or [[]]
    return {"columns": columns, "data": rows, "index": list(range(len(rows)))}


def _read_json(file, n_rows, verbose):
    """Parse the file, and build each structure as soon as it is read.

    The parsed text, several times larger than the structures, is thus never in memory completely.
    """
    from tqdm.auto import tqdm

    single = {}  # element symbol -> Composition; making one per site takes most of the time
    with tqdm(total=n_rows, desc="MatBench rows", disable=not verbose) as bar:

        def build(record):
            if "sites" not in record:
                return record
            bar.update()
            try:
                return _build_structure(record, single)
            except (KeyError, TypeError, IndexError, ValueError) as error:
                return error  # raised by _check_structure, which knows the row's id

        return json.load(file, object_hook=build)


def _official_positions(labels, task, n_official, path):
    """Return the index of each row in the complete table (from 0), and its official id.

    A table without ids numbers its rows from 0. The ids count from 1, with leading zeros up to the
    width of the number of rows.
    """
    width = len(str(n_official))
    prefix = f"mb-{task.replace('_', '-')}-"
    official = np.array([f"{prefix}{number:0{width}d}" for number in range(1, n_official + 1)])
    if labels == list(range(len(labels))):
        if len(labels) != n_official:
            raise ValueError(
                f"{path} has {len(labels)} rows without ids, but the official table has "
                f"{n_official}: an incomplete table needs the mb- ids as its index"
            )
        return np.arange(n_official), official
    place = {name: position for position, name in enumerate(official.tolist())}
    unknown = [label for label in labels if str(label) not in place]
    if unknown:
        raise ValueError(
            f"{path} has {len(unknown)} unknown id(s), e.g. {unknown[0]!r}; the ids of "
            f"{task!r} run from {official[0]} to {official[-1]}"
        )
    positions = np.array([place[label] for label in labels], dtype=np.intp)
    values, counts = np.unique(positions, return_counts=True)
    if counts.max() > 1:
        raise ValueError(f"{path} has the id {official[values[counts > 1][0]]} more than once")
    return positions, official[positions]


def _check_target(values, ids, task_type, path):
    try:
        target = np.array([np.nan if v is None else float(v) for v in values])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} has a target that is not a number: {error}") from error
    if task_type == "classification":
        wrong, kind = ~np.isin(target, (0.0, 1.0)), "true or false"
    else:
        wrong, kind = ~np.isfinite(target), "a finite number"
    if wrong.any():
        row = np.flatnonzero(wrong)[0]
        raise ValueError(f"{path}: the target of {ids[row]} is {values[row]!r}, not {kind}")
    return target.astype(bool) if task_type == "classification" else target


def _build_structure(record, single):
    """Build a structure from lattice, species and coordinates; nothing else is decoded."""
    from pymatgen.core import Structure

    return Structure(
        record["lattice"]["matrix"],
        [_build_species(site["species"], single) for site in record["sites"]],
        [site["abc"] for site in record["sites"]],
        charge=record.get("charge"),
    )


def _build_species(species, single):
    from pymatgen.core import Composition, Species

    symbol = species[0]["element"]
    if len(species) > 1 or species[0]["occu"] != 1 or species[0].get("oxidation_state"):
        return Composition(
            {Species(one["element"], one.get("oxidation_state")): one["occu"] for one in species}
        )
    if symbol not in single:
        single[symbol] = Composition({symbol: 1})
    return single[symbol]


def _check_structure(value):
    from pymatgen.core import Structure

    if isinstance(value, Exception):
        raise ValueError(f"not a valid structure: {value!r}") from value
    if not isinstance(value, Structure):
        raise ValueError(f"not a structure but {value!r}")


def _check_formula(value):
    if not isinstance(value, str) or not value:
        raise ValueError(f"not a formula but {value!r}")


def _object_array(values, check, ids, path):
    # numpy would convert structures to their sites, so the array is filled in place
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        try:
            check(value)
        except ValueError as error:
            raise ValueError(f"{path}: {ids[row]} is {error}") from error
        array[row] = value
    return array
