"""Check, save and load predictions of folds, and score recorded ones."""

import csv
import gzip
import io
import json
import math
import zlib
from collections import Counter
from pathlib import Path

from ..files import atomic_write
from .metrics import classification_scores, regression_scores
from .results import result_path


def check_predictions(ids, predictions, expected_ids):
    """Raise ValueError unless there is one finite prediction for each expected id.

    Parameters
    ----------
    ids : sequence of str
        Ids of the predicted rows.
    predictions : sequence of float
        Their predictions.
    expected_ids : sequence of str
        The ids of the test rows of the fold, in any order.
    """
    ids, expected = list(ids), set(expected_ids)
    if len(ids) != len(predictions):
        raise ValueError(f"there are {len(ids)} ids but {len(predictions)} predictions")
    if len(set(ids)) < len(ids):
        double = Counter(ids).most_common(1)[0][0]
        raise ValueError(f"the id {double} is predicted more than once")
    for names, word in ((expected - set(ids), "lack"), (set(ids) - expected, "have unexpected")):
        if names:
            raise ValueError(f"the predictions {word} {len(names)} id(s), e.g. {min(names)}")
    for name, value in zip(ids, predictions):
        if not math.isfinite(value):
            raise ValueError(f"the prediction of {name} is {value}")


def predictions_path(folder, result, fold):
    """Return the file of the predictions of one fold; its name depends on the settings.

    Parameters
    ----------
    folder : str or path-like
        Folder of the predictions.
    result : Result
        Result of the run.
    fold : int
        Number of the fold.

    Returns
    -------
    pathlib.Path
    """
    stem = result_path(folder, result.benchmark, result.task, result.model).stem
    return Path(folder) / f"{stem}_{result.digest}" / f"fold_{fold}.csv.gz"


def write_predictions(path, ids, predictions):
    """Write the predictions of a fold as ``.csv.gz`` with the columns id and prediction."""
    check_predictions(ids, predictions, ids)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "prediction"])
    writer.writerows((name, repr(float(value))) for name, value in zip(ids, predictions))
    with atomic_write(path) as temporary:
        # no time stamp, so that equal predictions give equal files
        temporary.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))


def read_predictions(path):
    """Read the predictions of a fold.

    Parameters
    ----------
    path : str or path-like
        See `predictions_path`.

    Returns
    -------
    ids : list of str
    predictions : list of float
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        ids, predictions = [row["id"] for row in rows], [float(row["prediction"]) for row in rows]
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a valid file of predictions ({error!r})") from error
    check_predictions(ids, predictions, ids)
    return ids, predictions


def rescore_recorded(results_file, task, ids_by_fold, targets, *, task_type="regression"):
    """Score a recorded MatBench submission on chosen rows of each fold.

    A peer can thus be compared on exactly the rows of an incomplete table.

    Parameters
    ----------
    results_file : str or path-like
        A submission in the MatBench repository, ``results.json.gz``.
    task : str
        Name of the task, with or without the prefix ``matbench_``.
    ids_by_fold : sequence of sequence of str
        Official ids of the test rows to score in each fold, fold 0 first.
    targets : dict of str to float
        True value of each id.
    task_type : {"regression", "classification"}, default="regression"
        Kind of the scores.

    Returns
    -------
    list of dict of str to float
        The scores of each fold.

    Raises
    ------
    ValueError
        If the file is damaged, does not contain the task, or lacks an id in a fold.

    Examples
    --------
    >>> import gzip, json
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.evaluation import rescore_recorded
    >>> fold = {"data": {"mb-jdft2d-001": 1.0, "mb-jdft2d-002": 2.5}}
    >>> recorded = {"tasks": {"matbench_jdft2d": {"results": {"fold_0": fold}}}}
    >>> targets = {"mb-jdft2d-001": 1.5, "mb-jdft2d-002": 2.5}
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "results.json.gz"
    ...     _ = path.write_bytes(gzip.compress(json.dumps(recorded).encode()))
    ...     scores = rescore_recorded(path, "jdft2d", [["mb-jdft2d-001"]], targets)
    >>> scores[0]["mae"]
    0.5
    """
    folds = _read_recorded(results_file, f"matbench_{task.removeprefix('matbench_')}")
    score = {"regression": regression_scores, "classification": classification_scores}[task_type]
    scores = []
    for fold, ids in enumerate(ids_by_fold):
        recorded = folds.get(f"fold_{fold}", {}).get("data", {})
        missing = [name for name in ids if name not in recorded]
        if missing:
            raise ValueError(
                f"{results_file} has no prediction for {len(missing)} id(s) in fold {fold} of "
                f"{task}, e.g. {missing[0]}"
            )
        predictions = [recorded[name] for name in ids]
        check_predictions(ids, predictions, ids)
        scores.append(score([targets[name] for name in ids], predictions))
    return scores


def _read_recorded(results_file, task):
    try:
        with gzip.open(results_file, "rt", encoding="utf-8") as file:
            tasks = json.load(file)["tasks"]
    except (EOFError, gzip.BadGzipFile, zlib.error, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{results_file} is not a recorded MatBench submission: {error!r}"
        ) from error
    if task not in tasks:
        raise ValueError(
            f"{results_file} does not contain {task}; its tasks are {', '.join(tasks)}"
        )
    return tasks[task]["results"]
