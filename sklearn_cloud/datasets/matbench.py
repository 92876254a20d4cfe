"""MatBench v0.1: thirteen tables of crystals or compositions with a property."""

import difflib
import functools
import gzip
import json
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..downloads import download as download_file
from ..downloads import get_data_home
from ..wording import percent
from .matbench_table import read_table

N_FOLDS = 5
FOLD_SEED = 18012019  # fixed by the MatBench authors for all tasks
FOLD_FILE = "leaderboard/official_test_ids_by_fold.json.gz"


def fetch_matbench(task, *, data_home=None, download=True, verbose=0):
    """Load a MatBench v0.1 task with its official ids and folds.

    If a file ``matbench_<task>.json.gz`` exists in `data_home` or its subfolder ``matbench``, it is
    used (for the composition tasks also ``matbench/compositions/matbench_<task>.csv.gz`` with the
    columns formula and target). Otherwise the official table is downloaded to ``matbench`` in
    `data_home` and checked against its published SHA-256. A local table may lack rows: the folds
    are then those of the complete table, restricted to the available rows.

    Parameters
    ----------
    task : str
        Name of the task, with or without the prefix ``matbench_``; see `list_matbench`.
    data_home : str or path-like, default=None
        Folder of the data files; see `get_data_home`.
    download : bool, default=True
        If False, a missing file is an error instead of a download.
    verbose : int, default=0
        If not 0, show progress bars.

    Returns
    -------
    sklearn.utils.Bunch
        With the attributes

        structures : object ndarray of shape (n_rows,)
            pymatgen ``Structure`` objects; formula strings in a composition task.
        compositions : object ndarray of shape (n_rows,)
            The formula strings; composition tasks only.
        target : ndarray of shape (n_rows,)
            float64; bool in a classification task.
        ids : ndarray of str of shape (n_rows,)
            Official ids, ``mb-<task>-<number>``, in official order.
        folds : list of 5 (train, test) pairs of index arrays
            The official folds, ready for ``cv=``.
        coverage : float
            Share of the official rows in the table; 1.0 for the complete table.
        task, task_type, target_name, unit : str
            `task_type` is "regression" or "classification"; `unit` is None in the latter.
        n_official : int
            Number of rows of the complete table.
        DESCR : str
            Description of the table.

    Raises
    ------
    ValueError
        If the task is unknown, or its table is damaged or has unknown or duplicated ids.
    FileNotFoundError
        If the table is missing and `download` is False.
    ConnectionError
        If the download fails.

    References
    ----------
    .. [1] A. Dunn, Q. Wang, A. Ganose, D. Dopp, A. Jain, "Benchmarking materials property
       prediction methods: the Matbench test set and Automatminer reference algorithm",
       npj Computational Materials 6, 138 (2020). doi:10.1038/s41524-020-00406-3

    Examples
    --------
    >>> from sklearn_cloud.datasets import fetch_matbench
    >>> jdft2d = fetch_matbench("jdft2d")  # doctest: +SKIP
    >>> jdft2d.structures.shape, len(jdft2d.folds)  # doctest: +SKIP
    ((636,), 5)
    """
    from .crystal_data import CrystalData

    task = _task_name(task)
    facts = _all_facts()[task]
    home = get_data_home(data_home)
    path = _find_table(task, facts, home)
    if path is None:
        path = _fetch_table(task, facts, home, download, verbose)
    positions, ids, inputs, target = read_table(path, task, facts, verbose)
    bunch = CrystalData(
        structures=inputs,
        target=target,
        ids=ids,
        folds=_official_folds(positions, target, task, facts, home),
        coverage=len(ids) / facts["n_rows"],
        task=task,
        task_type=facts["task_type"],
        target_name=facts["target"],
        unit=facts["unit"],
        n_official=facts["n_rows"],
        DESCR=_describe(task, facts, len(ids)),
    )
    if facts["input"] == "composition":
        bunch.compositions = inputs
    return bunch


def list_matbench():
    """Return the names of the thirteen MatBench v0.1 tasks, from the smallest to the largest.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from sklearn_cloud.datasets import list_matbench
    >>> list_matbench()[:3]
    ['steels', 'jdft2d', 'phonons']
    """
    return list(_all_facts())


@functools.cache
def _all_facts():
    text = resources.files("sklearn_cloud").joinpath("data/matbench_tasks.json").read_text()
    return json.loads(text)["tasks"]


def _task_name(task):
    if not isinstance(task, str):
        raise TypeError(f"task must be a string, got {type(task).__name__}")
    name = task.removeprefix("matbench_")
    if name not in _all_facts():
        close = difflib.get_close_matches(name, _all_facts(), n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise ValueError(
            f"unknown MatBench task {task!r}. {hint}The tasks are {', '.join(_all_facts())}."
        )
    return name


def _local_paths(task, facts, home):
    paths = [home / f"matbench_{task}.json.gz", home / f"matbench/matbench_{task}.json.gz"]
    if facts["input"] == "composition":
        paths.append(home / f"matbench/compositions/matbench_{task}.csv.gz")
    return paths


def _find_table(task, facts, home):
    return next((path for path in _local_paths(task, facts, home) if path.is_file()), None)


def _fetch_table(task, facts, home, download, verbose):
    path = home / f"matbench/matbench_{task}.json.gz"
    if not download:
        searched = ", ".join(str(p) for p in _local_paths(task, facts, home))
        raise FileNotFoundError(
            f"no table of the MatBench task {task!r}; looked for {searched}. Set download=True, "
            f"copy {facts['url']} there, or pass its folder with data_home= or the "
            "environment variable SKLEARN_CLOUD_DATA."
        )
    return download_file(facts["url"], path, facts["sha256"], verbose=verbose)


def _official_folds(positions, target, task, facts, home):
    """Return (train, test) row indices of the five folds of the complete table."""
    from sklearn.model_selection import KFold, StratifiedKFold

    n_official = facts["n_rows"]
    fold_of = np.empty(n_official, dtype=np.int8)
    rule = dict(n_splits=N_FOLDS, shuffle=True, random_state=FOLD_SEED)
    if facts["task_type"] == "regression":
        splits = KFold(**rule).split(np.empty(n_official))
    elif len(positions) == n_official:
        splits = StratifiedKFold(**rule).split(target, target)
    else:
        # Stratified folds depend on the labels of the missing rows too.
        splits = ((None, test) for test in _listed_test_positions(task, n_official, home))
    for fold, (_, test) in enumerate(splits):
        fold_of[test] = fold
    mine = fold_of[positions]
    return [(np.flatnonzero(mine != k), np.flatnonzero(mine == k)) for k in range(N_FOLDS)]


def _listed_test_positions(task, n_official, home):
    """Return the test rows of each fold, from a list of their ids."""
    listed = _read_fold_list(task, home)
    test_ids = [listed[f"fold_{fold}"] for fold in range(N_FOLDS)]
    positions = [np.array([int(name.rsplit("-", 1)[1]) - 1 for name in ids]) for ids in test_ids]
    if not np.array_equal(np.sort(np.concatenate(positions)), np.arange(n_official)):
        raise ValueError(
            f"the list of test ids of {task!r} does not have each of its rows exactly once"
        )
    return positions


def _read_fold_list(task, home):
    path = home / FOLD_FILE
    if path.is_file():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return json.load(file)[f"matbench_{task}"]
    package = find_spec("matbench")  # found but not imported: the import is slow
    if package is None:
        raise ValueError(
            f"the local table of {task!r} is incomplete, but its stratified folds depend on the "
            f"labels of the missing rows too. Copy the list of test ids to {path}, or run "
            "`pip install --no-deps matbench==0.6`, or use the official table."
        )
    path = Path(package.submodule_search_locations[0]) / "matbench_v0.1_validation.json"
    folds = json.loads(path.read_text(encoding="utf-8"))["splits"][f"matbench_{task}"]
    return {name: fold["test"] for name, fold in folds.items()}


def _describe(task, facts, n_rows):
    unit = f" in {facts['unit']}" if facts["unit"] else ""
    inputs = "crystals" if facts["input"] == "structure" else "compositions"
    rule = "KFold" if facts["task_type"] == "regression" else "StratifiedKFold"
    share = n_rows / facts["n_rows"]
    return (
        f"MatBench v0.1, task {task} ({facts['task_type']}): {facts['description']}{unit} "
        f"(column {facts['target']!r}) of {inputs}.\n"
        f"{n_rows:,} of {facts['n_rows']:,} official rows ({percent(share, 1)}), folds of "
        f"{rule}({N_FOLDS}, shuffle=True, random_state={FOLD_SEED}) on the complete table.\n"
        f"Source: {facts['url']}; A. Dunn et al., npj Computational Materials 6, 138 (2020)."
    )
