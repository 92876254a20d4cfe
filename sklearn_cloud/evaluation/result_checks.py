"""Checks of result files."""

import math

from ..baselines.registry import KINDS
from .metrics import summarize_folds

SCHEMA = 1
_HEADER = {
    "schema": int,
    "benchmark": str,
    "task": str,
    "model": str,
    "kind": str,
    "rows": int,
    "coverage": (int, float, type(None)),
    "n_folds": int,
    "configuration": dict,
    "folds": dict,
    "summary": dict,
    "provenance": dict,
}
_FOLD = {
    "scores": dict,
    "seconds_fit": (int, float),
    "seconds_predict": (int, float),
    "n_train": int,
    "n_test": int,
}


def check_result(result, path):
    """Raise ValueError if a result does not follow the schema."""
    if not isinstance(result, dict) or "schema" not in result:
        raise ValueError(f"{path} is not a result file: it has no schema")
    if result["schema"] != SCHEMA:
        raise ValueError(
            f"{path} has schema {result['schema']!r}, but this version reads {SCHEMA}: run the "
            "benchmark again, or use the version of sklearn_cloud that wrote it"
        )
    _check_keys(result, _HEADER, path)
    unknown = sorted(set(result) - {*_HEADER, "details"})
    if unknown:
        raise ValueError(f"{path} has unknown entries: {', '.join(unknown)}")
    if result["kind"] not in KINDS:
        raise ValueError(f"{path}: kind must be one of {', '.join(KINDS)}, got {result['kind']!r}")
    coverage = result["coverage"]
    if coverage is not None and not 0 < coverage <= 1:
        raise ValueError(f"{path}: coverage must be in (0, 1], got {coverage}")
    for name, fold in result["folds"].items():
        check_fold(name, fold, result["n_folds"], path)
    folds = [fold["scores"] for fold in result["folds"].values()]
    if not _close(result["summary"], summarize_folds(folds) if folds else {}):
        raise ValueError(f"{path}: the summary does not match the folds; the file was changed")


def _check_keys(entry, schema, where):
    missing = [key for key in schema if key not in entry]
    if missing:
        raise ValueError(f"{where} is incomplete: it lacks {', '.join(missing)}")
    for key, kind in schema.items():
        if not isinstance(entry[key], kind) or isinstance(entry[key], bool):
            raise ValueError(f"{where}: {key} has the type {type(entry[key]).__name__}")


def check_fold(name, fold, n_folds, path):
    """Raise ValueError if a fold does not follow the schema."""
    where = f"{path}, fold {name}"
    if name not in map(str, range(n_folds)):
        raise ValueError(f"{where}: the benchmark has the folds 0 to {n_folds - 1}")
    if not isinstance(fold, dict):
        raise ValueError(f"{where} is not a fold")
    _check_keys(fold, _FOLD, where)
    if not fold["scores"]:
        raise ValueError(f"{where} has no score")
    for score, value in fold["scores"].items():
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(
                f"{where}: the score {score} is {value!r}, not a finite number; check the "
                "predictions for NaN"
            )


def check_same(found, wanted, path, defaults=None):
    """Raise ValueError if two results differ in their settings.

    A setting missing in `found`, which the model got later, counts as its default.
    """
    header = ("benchmark", "task", "model", "kind", "rows", "coverage", "n_folds")
    differences = [
        f"{key} {old!r}, now {new!r}"
        for key in header
        if (old := getattr(found, key)) != (new := getattr(wanted, key))
    ]
    now = wanted.configuration
    before = {key: value for key, value in (defaults or {}).items() if key in now}
    before |= _in_todays_terms(found.configuration)
    for key in sorted(set(before) | set(now)):
        old, new = before.get(key, "not set"), now.get(key, "not set")
        if old != new:
            differences.append(f"{key}={old!r}, now {new!r}")
    if differences:
        raise ValueError(
            f"{path} was made with another configuration ({'; '.join(differences)}). It is not "
            "overwritten: move it, or use another model name for the new configuration"
        )


def _in_todays_terms(configuration):
    """Return the settings of an older file by their current names."""
    if configuration.get("head") == "extra-trees":  # from before the registry
        model, trees = f"{configuration['model']}-trees", configuration["trees"]
        return {"model": model, "n_estimators": trees, "random_state": configuration["seed"]}
    return configuration


def _close(a, b):
    if set(a) != set(b):
        return False
    pairs = [(a[score].get(k), b[score][k]) for score in b for k in ("mean", "std")]
    return all(x is not None and math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-12) for x, y in pairs)
