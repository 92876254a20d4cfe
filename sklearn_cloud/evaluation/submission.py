"""Write a MatBench submission: recorded, scored and validated by `matbench` itself."""

import gzip
import json
import logging
from contextlib import contextmanager
from pathlib import Path

from ..files import atomic_write

RESULTS_FILE = "results.json.gz"
INFO_FILE = "info.json"
INFO_KEYS = ("authors", "algorithm", "algorithm_long", "bibtex_refs", "notes", "requirements")


def write_submission(directory, tables, predictions, info, *, parameters=None):
    """Write the files of a submission to the MatBench leaderboard.

    Parameters
    ----------
    directory : str or path-like
        Folder of ``results.json.gz`` and ``info.json``; created if needed. Existing files of these
        names are replaced.
    tables : list of Bunch
        Complete tables, as returned by `sklearn_cloud.datasets.fetch_matbench`.
    predictions : dict of str to list of 5 array-like
        For each task, the predictions of the test rows of each fold, in the order of
        ``table.folds``. In a classification, probabilities of True or labels.
    info : dict
        ``authors``, ``algorithm`` and, optionally, ``algorithm_long``, ``bibtex_refs``, ``notes``
        and ``requirements``.
    parameters : dict, default=None
        Settings of the model, recorded with every fold.

    Returns
    -------
    dict of str to dict
        The scores computed by `matbench`, by task.

    Raises
    ------
    ImportError
        If `matbench` is not installed; the message has the pip command.
    ValueError
        If a table lacks rows, predictions do not match the folds, or `matbench` does not accept the
        record.

    References
    ----------
    .. [1] A. Dunn et al., npj Computational Materials 6, 138 (2020), and the instructions of
       https://github.com/materialsproject/matbench for submissions.

    Examples
    --------
    >>> from sklearn_cloud.datasets import fetch_matbench
    >>> from sklearn_cloud.evaluation import write_submission
    >>> jdft2d = fetch_matbench("jdft2d")  # doctest: +SKIP
    >>> predicted = [  # doctest: +SKIP
    ...     model.fit(jdft2d.structures[train], jdft2d.target[train])
    ...     .predict(jdft2d.structures[test])
    ...     for train, test in jdft2d.folds
    ... ]
    >>> info = {"authors": "A. Author", "algorithm": "CLOUD"}
    >>> scores = write_submission(  # doctest: +SKIP
    ...     "submission", [jdft2d], {"jdft2d": predicted}, info
    ... )
    """
    benchmark_class = _import_matbench()
    _check_info(info)
    for table in tables:
        _check_table(table, predictions)
    with _quiet():
        benchmark = benchmark_class(
            autoload=False, subset=[f"matbench_{table.task}" for table in tables]
        )
        for table in tables:
            _record(benchmark, table, predictions[table.task], parameters or {})
        benchmark.add_metadata({key: str(value) for key, value in info.items()})
        _validate(benchmark)
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        _write(benchmark, directory / RESULTS_FILE)
    content = {key: info.get(key, "") for key in INFO_KEYS}
    (directory / INFO_FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return {table.task: _scores(benchmark, table.task) for table in tables}


def _import_matbench():
    try:
        from matbench.bench import MatbenchBenchmark
    except ImportError as error:
        raise ImportError(
            "submissions require matbench, whose pinned dependencies conflict with those of "
            "sklearn-cloud; install it without them: pip install 'sklearn-cloud[baselines]' && "
            f"pip install --no-deps matbench==0.6 ({error})."
        ) from error
    return MatbenchBenchmark


def _check_info(info):
    missing = [key for key in ("authors", "algorithm") if not info.get(key)]
    unknown = sorted(set(info) - set(INFO_KEYS))
    if missing or unknown:
        raise ValueError(
            f"info lacks {missing} and has unknown keys {unknown}; allowed are {INFO_KEYS}."
        )


def _check_table(table, predictions):
    if table.coverage < 1:
        raise ValueError(
            f"the table of {table.task} has only {len(table.ids)} of {table.n_official} rows: use "
            "the complete table for a submission."
        )
    if table.task not in predictions:
        raise ValueError(f"predictions lacks the task {table.task}.")
    sizes = [len(test) for _, test in table.folds]
    found = [len(fold) for fold in predictions[table.task]]
    if found != sizes:
        raise ValueError(
            f"the folds of {table.task} have {sizes} test rows, but the predictions {found}."
        )


def _record(benchmark, table, predictions, parameters):
    import numpy as np
    import pandas as pd

    task = benchmark.tasks_map[f"matbench_{table.task}"]
    # as task.load() does, but the table has been read already
    columns = {task.metadata.input_type: table.structures, task.metadata.target: table.target}
    task.df = pd.DataFrame(columns, index=pd.Index(table.ids, name="mbid"))
    for fold, (_, test) in enumerate(table.folds):
        if list(table.ids[test]) != list(task.validation[task.folds_map[fold]].test):
            raise ValueError(f"fold {fold} of {table.task} differs from that of matbench.")
        task.record(fold, np.asarray(predictions[fold]), params=parameters)


def _write(benchmark, path):
    """Write the results, if the content of the file is valid too."""
    plain = path.with_suffix(".tmp")
    try:
        benchmark.to_file(str(plain))
        _validate(type(benchmark).from_file(str(plain)))
        # no time stamp, so that equal results give equal files
        with atomic_write(path) as temporary:
            temporary.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    finally:
        plain.unlink(missing_ok=True)


@contextmanager
def _quiet():
    """Suppress the messages of matbench on stdout."""
    logger = logging.getLogger("matbench")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _scores(benchmark, task):
    """Return {metric: {"mean": ..., "std": ..., ...}} in plain dicts."""
    scores = benchmark.tasks_map[f"matbench_{task}"].scores
    return {metric: dict(values) for metric, values in scores.items()}


def _validate(benchmark):
    errors = benchmark.validate()
    if errors:
        reasons = "; ".join(f"{task}: {text.splitlines()[-1]}" for task, text in errors.items())
        raise ValueError(f"matbench does not accept the predictions: {reasons}")
