"""CrystalRegressor on several tables: its error, that of its members, coverage, width, cost.

    python benchmarks/tables/ensembles.py --tables jdft2d phonons --effort fast
    python benchmarks/tables/ensembles.py --tables supercon defected wbm_energy

The tables are MatBench tasks on their official folds, and three that are in no benchmark:
superconductors, vacancies, and the formation energies of 800 WBM crystals, with
``KFold(5, shuffle=True, random_state=42)``. On each fold, next to the ensemble: every member alone
(the mean of its models), and a random forest on the same features with a conformal interval
of constant width from its out-of-bag errors. Every finished fold is written to
`benchmarks/results/`; a run that is started again resumes with the folds that are missing.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold

from sklearn_cloud import CrystalRegressor
from sklearn_cloud.datasets import (
    fetch_discovery,
    fetch_matbench,
    fetch_unconventional,
    list_matbench,
)
from sklearn_cloud.ensembles.views import compute_views, make_views, read_crystals

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance, write_json

OWN = ("supercon", "defected", "wbm_energy")
WBM_ROWS = 800
COVERAGE = 0.9


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tables", nargs="+", required=True, choices=[*list_matbench(), *OWN])
    parser.add_argument("--effort", default="fast", choices=["fast", "default", "best"])
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    arguments = parse_arguments(parser)
    for table in arguments.tables:
        measure(table, arguments)


def measure(table, arguments):
    """Measure the folds of a table that are missing."""
    crystals, y, folds = read(table, arguments.data_home)
    name = f"ensemble_{table}_{arguments.effort}"
    path = RESULTS / f"{name}.json"
    result = json.loads(path.read_text("utf-8")) if path.exists() else {"folds": {}}
    result |= {"table": table, "rows": len(y), "effort": arguments.effort, "seed": arguments.seed}
    for fold in arguments.folds:
        if str(fold) not in result["folds"]:
            train, test = folds[fold]
            result["folds"][str(fold)] = measure_fold(crystals, y, train, test, arguments)
            write_json(name, result | {"provenance": script_provenance(device="cpu")})
        print(table, fold, json.dumps(result["folds"][str(fold)]), flush=True)


def read(table, data_home):
    """Return crystals, targets and folds."""
    if table not in OWN:
        data = fetch_matbench(table, data_home=data_home, download=False)
        return data.structures, data.target, data.folds
    if table == "wbm_energy":
        data = fetch_discovery(data_home=data_home)
        rows = np.random.RandomState(0).permutation(len(data.target))[:WBM_ROWS]
        crystals, y = data.structures[rows], data.target[rows]
    else:
        data = fetch_unconventional(table, data_home=data_home)
        crystals, y = data.structures, data.target
    return crystals, y, list(KFold(5, shuffle=True, random_state=42).split(y))


def measure_fold(crystals, y, train, test, arguments):
    """Return the scores of one fold."""
    start, start_cpu = time.perf_counter(), time.process_time()
    model = CrystalRegressor(arguments.effort, random_state=arguments.seed, verbose=1)
    model.fit(crystals[train], y[train])
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    found = model.predict_all(crystals[test], COVERAGE)
    tables = model._tables(crystals[test])
    members = {
        name: np.mean([m.predict(tables[model.view_of_member_[name]]) for m in models], axis=0)
        for name, models in model.members_.items()
    }
    return {
        "mae": error(found["predicted"], y[test]),
        "expected_error": model.expected_error_,
        "members": {name: error(predicted, y[test]) for name, predicted in members.items()},
        "weights": model.weights_,
        "interval": describe(found["lower"], found["upper"], y[test]),
        "forest": measure_forest(crystals, y, train, test, arguments.seed),
        "n_train": len(train),
        "n_test": len(test),
        "seconds_fit": round(seconds, 1),
        "cpu_seconds_fit": round(cpu_seconds, 1),
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def measure_forest(crystals, y, train, test, seed):
    """Return error and interval of a conformal random forest."""
    items, structures = read_crystals(crystals, n_jobs=None, verbose=0)
    views = make_views(structures, None, n_jobs=None, verbose=0)
    X = np.nan_to_num(compute_views(views, items, ["features"])["features"])
    forest = RandomForestRegressor(300, max_features=1 / 3, oob_score=True, random_state=seed)
    forest.fit(X[train], y[train])
    errors = np.sort(np.abs(forest.oob_prediction_ - y[train]))
    rank = min(len(errors), int(np.ceil((len(errors) + 1) * COVERAGE)))
    predicted = forest.predict(X[test])
    half = errors[rank - 1]
    return {
        "mae": error(predicted, y[test]),
        "interval": describe(predicted - half, predicted + half, y[test]),
    }


def error(predicted, y):
    return float(np.abs(predicted - y).mean())


def describe(lower, upper, y):
    """Return coverage, mean and median width of intervals."""
    width = upper - lower
    return {
        "coverage": float(((lower <= y) & (y <= upper)).mean()),
        "mean_width": float(width.mean()),
        "median_width": float(np.median(width)),
    }


if __name__ == "__main__":
    main()
