"""Result files of the benchmarks: one JSON file per benchmark, task and model.

A file contains scores and their provenance, but no predictions::

    {
     "schema": 1,
     "benchmark": "matbench",            "task": "jdft2d",
     "model": "sklearn_cloud",           "kind": "Coordinate-free",
     "rows": 636,                        "coverage": 1.0,
     "n_folds": 5,
     "configuration": {...},             every setting that can change a score
     "folds": {"0": {"scores": {"mae": ...}, "seconds_fit": ..., "seconds_predict": ...,
                     "n_train": ..., "n_test": ...}, ...},
     "summary": {"mae": {"mean": ..., "std": ...}},
     "provenance": {...},                command, date, python, machine, versions
     "details": {...}                    further data for figures (optional)
    }
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..files import write_text
from .metrics import summarize_folds
from .result_checks import SCHEMA, check_fold, check_result, check_same


def digest(content):
    """Return a hash of eight characters of the content, which must be JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


@dataclass
class Result:
    """Scores of a model on the folds of a task, and their provenance.

    Attributes
    ----------
    benchmark, task, model : str
        Names of the benchmark, the task and the model.
    kind : str
        The paper's category of the model, one of ``KINDS``.
    rows : int
        Number of rows of the table.
    coverage : float or None
        Share of the benchmark's rows in the table; None if it is not the table of the benchmark.
    n_folds : int
        Number of folds of the benchmark.
    configuration : dict
        Every setting that can change a score.
    folds : dict of str to dict
        The finished folds: scores, seconds, rows, and other measurements.
    provenance : dict
        Command, date and versions of the run.
    details : dict
        Further data for figures.
    """

    benchmark: str
    task: str
    model: str
    kind: str
    rows: int
    coverage: float | None
    n_folds: int
    configuration: dict
    folds: dict = field(default_factory=dict)
    provenance: dict = field(default_factory=dict)
    details: dict = field(default_factory=dict)

    @property
    def summary(self):
        """Mean and standard deviation of each score over the folds."""
        return summarize_folds(fold["scores"] for fold in self.folds.values()) if self.folds else {}

    @property
    def digest(self):
        """Hash of eight characters of all settings and the number of rows."""
        return digest([self.benchmark, self.task, self.model, self.rows, self.configuration])

    def to_dict(self):
        """Return the content of the file."""
        content = {"schema": SCHEMA, **vars(self)}
        details = content.pop("details")
        content["summary"] = self.summary
        content["provenance"] = content.pop("provenance")  # after the summary
        return content | ({"details": details} if details else {})

    @classmethod
    def _from_dict(cls, content, path):
        """Return the result in the content of a file; ValueError if it violates the schema."""
        check_result(content, path)
        return cls(**{key: content[key] for key in content if key not in ("schema", "summary")})


def result_path(folder, benchmark, task, model):
    """Return the path of the result file, ``<folder>/<benchmark>_<task>_<model>.json``."""
    parts = (re.sub(r"[^a-z0-9.]+", "-", part.lower()).strip("-") for part in (task, model))
    task, model = parts
    return Path(folder) / f"{benchmark}_{task.replace('-', '_')}_{model}.json"


def open_result(
    path,
    *,
    benchmark,
    task,
    model,
    rows,
    configuration,
    kind="Coordinate-free",
    coverage=1.0,
    n_folds=5,
    defaults=None,
):
    """Start a result, or resume the one in a file.

    Parameters
    ----------
    path : str or path-like
        The result file; see `result_path`.
    benchmark, task, model : str
        Names of the benchmark, the task and the model.
    rows : int
        Number of rows of the table.
    configuration : dict
        Every setting that can change a score; must be JSON.
    kind : str, default="Coordinate-free"
        The paper's category of the model, one of ``KINDS``.
    coverage : float or None, default=1.0
        Share of the benchmark's rows in the table; None if it is not the table of the benchmark.
    n_folds : int, default=5
        Number of folds of the benchmark.
    defaults : dict, default=None
        Defaults of the settings. An older file that lacks one of them is resumed if the setting
        has its default.

    Returns
    -------
    Result
        The result with its finished folds. It is not written.

    Raises
    ------
    ValueError
        If the file is damaged, has another version, or was made with another configuration or on
        another table.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.evaluation.results import (
    ...     add_fold, open_result, read_result, write_result
    ... )
    >>> folder = TemporaryDirectory()
    >>> path = Path(folder.name) / "matbench_jdft2d_mine.json"
    >>> result = open_result(
    ...     path, benchmark="matbench", task="jdft2d", model="mine", rows=636, configuration={}
    ... )
    >>> seconds = {"seconds_fit": 30.0, "seconds_predict": 0.1}
    >>> add_fold(result, 0, {"mae": 35.0}, n_train=508, n_test=128, **seconds)
    >>> write_result(path, result)
    >>> read_result(path).summary
    {'mae': {'mean': 35.0, 'std': 0.0}}
    >>> folder.cleanup()
    """
    fresh = Result(
        benchmark=benchmark,
        task=task,
        model=model,
        kind=kind,
        rows=int(rows),
        coverage=coverage if coverage is None else float(coverage),
        n_folds=int(n_folds),
        # as read from a file, where tuples are lists
        configuration=json.loads(json.dumps(configuration, allow_nan=False)),
    )
    check_result(fresh.to_dict(), path)
    if not Path(path).exists():
        return fresh
    found = read_result(path)
    check_same(found, fresh, path, defaults)
    return found


def add_fold(result, fold, scores, *, seconds_fit, seconds_predict, n_train, n_test, **measured):
    """Add a finished fold to the result.

    Parameters
    ----------
    result : Result
        From `open_result`; changed in place.
    fold : int
        Number of the fold, from 0.
    scores : dict of str to float
        Its scores.
    seconds_fit, seconds_predict : float
        Time taken.
    n_train, n_test : int
        Rows used.
    **measured
        Other measurements by their names.

    Raises
    ------
    ValueError
        If the fold is finished already or does not exist, or a score is not finite.

    Examples
    --------
    See `open_result`.
    """
    if str(fold) in result.folds:
        raise ValueError(f"fold {fold} of {result.task} is finished already")
    entry = {
        "scores": {name: float(value) for name, value in scores.items()},
        "seconds_fit": round(float(seconds_fit), 3),
        "seconds_predict": round(float(seconds_predict), 3),
        "n_train": int(n_train),
        "n_test": int(n_test),
        **measured,
    }
    check_fold(str(fold), entry, result.n_folds, "the result")
    folds = {**result.folds, str(fold): entry}
    summarize_folds(one["scores"] for one in folds.values())  # checks their names
    result.folds = {key: folds[key] for key in sorted(folds, key=int)}


def write_result(path, result):
    """Check a result and write it; a file of another configuration is not overwritten.

    The file appears when it is complete.

    Parameters
    ----------
    path : str or path-like
        The result file; see `result_path`.
    result : Result
        From `open_result`.

    Raises
    ------
    ValueError
        If the result violates the schema, or the file has another configuration or folds that would
        be lost.

    Examples
    --------
    See `open_result`.
    """
    path = Path(path)
    content = result.to_dict()
    check_result(content, path)
    if path.exists():
        found = read_result(path)
        check_same(found, result, path)
        lost = sorted(set(found.folds) - set(result.folds))
        if lost:
            raise ValueError(
                f"{path} has fold(s) {', '.join(lost)} that would be lost: use open_result"
            )
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_result(path):
    """Read and check a result file.

    Parameters
    ----------
    path : str or path-like
        The result file.

    Returns
    -------
    Result

    Raises
    ------
    ValueError
        If the file is truncated, has another version, or is incomplete or inconsistent.

    Examples
    --------
    See `open_result`.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is damaged or truncated ({error}): delete it and run the benchmark again"
        ) from error
    return Result._from_dict(content, path)
