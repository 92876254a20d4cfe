"""Run models on the folds of a benchmark: fit, predict, score, save and resume."""

import sys
import time

import numpy as np

from .._version import __version__
from ..baselines.registry import build_model, find_model
from ..files import check_writable
from .metrics import classification_scores, regression_scores
from .predictions import predictions_path, write_predictions
from .results import add_fold, digest, open_result, result_path, write_result

COVERAGE = 0.9  # of the intervals


def run_model(
    model,
    data,
    *,
    benchmark,
    task,
    results,
    name=None,
    predictions=None,
    folds=None,
    parameters=None,
    provenance=None,
    report=None,
    **offered,
):
    """Score a model of the registry on a benchmark, fold by fold.

    Each finished fold is saved before the next one starts. A call with the same settings resumes
    with the missing folds.

    Parameters
    ----------
    model : str
        Name in the registry, see `sklearn_cloud.baselines.registry.find_model`.
    data : Bunch
        With ``structures``, ``target``, ``ids``, ``folds``, ``coverage`` and ``task_type``, as
        returned by `sklearn_cloud.datasets.fetch_matbench`.
    benchmark, task : str
        Names of the benchmark and the task in the result file.
    results : str or path-like
        Folder of the result file.
    name : str, default=None
        Name of the model in the result file. None builds it from the model, the version of this
        package and a hash of the settings, so that other settings have another file.
    predictions : str or path-like, default=None
        Folder to save the predictions of every fold in; None does not save them.
    folds : sequence of int, default=None
        Numbers of the folds; None means all.
    parameters : dict, default=None
        Parameters of the model.
    provenance : dict, default=None
        See `sklearn_cloud.evaluation.provenance.provenance`.
    report : callable, default=None
        Called with the number and the entry of each fold, and whether an earlier run had finished
        it.
    **offered
        ``random_state``, ``device``, ``n_jobs``, ``verbose``: for models with these parameters.

    Returns
    -------
    result : Result
    path : pathlib.Path
        The result file.

    Raises
    ------
    ValueError
        If the model is unknown, cannot classify or lacks a parameter, or the result file was made
        with other settings.
    OSError
        If results or predictions cannot be written.
    """
    entry = find_model(model)
    classification = data.task_type == "classification"
    estimator, settings = build_model(
        model, classification=classification, parameters=parameters, **offered
    )
    name = name or f"{entry.name}-{__version__}-{digest(settings)}"
    path = result_path(results, benchmark, task, name)
    result = open_result(
        path,
        benchmark=benchmark,
        task=task,
        model=name,
        kind=entry.kind,
        rows=len(data.ids),
        coverage=data.coverage,
        n_folds=len(data.folds),
        configuration=settings,
        defaults=build_model(model, classification=classification)[1],
    )
    for wanted in filter(None, (path, predictions and predictions_path(predictions, result, 0))):
        check_writable(wanted)

    def score_fold(fold):
        return fit_and_score(estimator, data, result, fold, predictions)

    folds = range(len(data.folds)) if folds is None else folds
    complete_folds(score_fold, result, path, folds, provenance=provenance, report=report)
    return result, path


def complete_folds(score_fold, result, path, folds, *, provenance=None, report=None):
    """Score the missing folds of a result, and write it after each.

    Parameters
    ----------
    score_fold : callable
        Takes the number of a fold; returns the arguments of `add_fold` as a dict.
    result : Result
        From `open_result`; changed in place.
    path : path-like
        Its file.
    folds : sequence of int
    provenance : dict, default=None
        Provenance of this run.
    report : callable, default=None
        Called with the number and the entry of each fold, and whether an earlier run had finished
        it.
    """
    for fold in folds:
        kept = str(fold) in result.folds
        if not kept:
            add_fold(result, fold, **score_fold(fold))
            result.provenance = provenance or {}
            write_result(path, result)
        if report is not None:
            report(fold, result.folds[str(fold)], kept)


def fit_and_score(model, data, result, fold, predictions=None):
    """Return the arguments of `add_fold` for a fold; save the predictions if there is a folder."""
    train, test = data.folds[fold]
    predicted, measured = fit_and_predict(model, data, train, test)
    if predictions is not None:
        file = predictions_path(predictions, result, fold)
        write_predictions(file, data.ids[test].tolist(), predicted)
    return {
        "scores": _score(data, test, predicted),
        "n_train": len(train),
        "n_test": len(test),
        **measured,
        **measure_intervals(model, data, test),
        **measure_members(model, data, test),
        **measure_size(model),
    }


def _score(data, test, predicted):
    score = classification_scores if data.task_type == "classification" else regression_scores
    return score(data.target[test], predicted)


def fit_and_predict(model, data, train, test):
    """Return predictions of the test rows (probabilities of True for classes), and their cost."""
    start, start_cpu = time.perf_counter(), time.process_time()
    model.fit(data.structures[train], data.target[train])
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    if data.task_type == "classification":
        predicted = _of_true(model, model.predict_proba(data.structures[test]))
    else:
        predicted = model.predict(data.structures[test])
    done, done_cpu = time.perf_counter(), time.process_time()
    return predicted, {
        "seconds_fit": fitted - start,
        "seconds_predict": done - fitted,
        # not affected by other work on the machine
        "cpu_seconds_fit": round(fitted_cpu - start_cpu, 3),
        "cpu_seconds_predict": round(done_cpu - fitted_cpu, 3),
    }


def measure_intervals(model, data, test):
    """Return coverage and mean width of the intervals of a fold; empty if the model has none."""
    if data.task_type == "classification" or not hasattr(model, "predict_interval"):
        return {}
    lower, upper = model.predict_interval(data.structures[test], coverage=COVERAGE).T
    target = data.target[test]
    return {
        "intervals": {
            "nominal_coverage": COVERAGE,
            "coverage": float(((lower <= target) & (target <= upper)).mean()),
            "mean_width": float((upper - lower).mean()),
        }
    }


def measure_members(model, data, test):
    """Return weight and scores of each member of an ensemble; empty if it is none."""
    if not hasattr(model, "predict_members"):
        return {}
    members = {}
    for name, predicted in model.predict_members(data.structures[test]).items():
        if data.task_type == "classification":
            predicted = _of_true(model, predicted)
        scores = {key: float(value) for key, value in _score(data, test, predicted).items()}
        members[name] = {"weight": round(model.weights_[name], 4), "scores": scores}
    return {"members": members}


def _of_true(model, probabilities):
    return probabilities[:, np.flatnonzero(model.classes_)[0]]


def measure_size(model):
    """Return the number of trained weights, if known, and the peak memory of the process so far."""
    estimator = model[-1] if hasattr(model, "steps") else model
    weights = getattr(estimator, "n_parameters_", None)
    size = {} if weights is None else {"n_parameters": weights}
    return size | _peak_memory()


def _peak_memory():
    try:
        import resource
    except ImportError:  # not on Windows
        return {}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux, bytes on macOS
    return {"peak_memory_mib": round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10))}
