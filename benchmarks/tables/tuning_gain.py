"""What does tuning gain over the defaults on a small table?

    python benchmarks/tables/tuning_gain.py
    python benchmarks/tables/tuning_gain.py --tasks jdft2d --models CLOUD --training-rows

From each MatBench table, 200 rows are drawn for the study and the fits, and up to 400 others for
the score; `--training-rows` draws both from the training rows of the first official fold. A study
looks for parameters by cross-validation on the 200 rows. Then models with the defaults and with the
best parameters are fitted on the 200 rows, with several seeds, and scored on the other rows. Two
models: `CloudRegressor` on symmetry strings with `default_space`, and extra-trees on Magpie
statistics. The studies are kept in a journal: a run that is started again resumes in the middle of
a study, and finished tables are kept in `benchmarks/results/`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import KFold

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.features import MagpieFeatures
from sklearn_cloud.tuning import default_space, tune_pipeline

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance, write_json

TASKS = ["jdft2d", "phonons", "dielectric", "expt_gap", "steels"]
NAME = "tuning_gain"
N_TRAIN, N_TEST = 200, 400


def trees_space():
    """Return a search space that contains the defaults of scikit-learn's extra-trees."""
    return {
        "max_features": FloatDistribution(0.1, 1.0),
        "min_samples_leaf": IntDistribution(1, 10),
        "bootstrap": CategoricalDistribution([False, True]),
    }


#: What the model reads, the model, its space, and the number of seeds of the fits in the end.
MODELS = {
    "trees": (MagpieFeatures, ExtraTreesRegressor, trees_space, 5),
    "CLOUD": (SymmetryStringTransformer, CloudRegressor, default_space, 2),
}


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--trials", type=int, default=12, help="of each study")
    parser.add_argument(
        "--training-rows", action="store_true", help="use no test row of the first official fold"
    )
    parser.add_argument(
        "--journal", type=Path, default="tuning_gain.journal", help="of the studies"
    )
    arguments = parse_arguments(parser)
    for model in arguments.models:
        for task in arguments.tasks:
            measure(task, model, arguments)


def measure(task, model, arguments):
    """Measure a model on a table, unless that has been done."""
    path = RESULTS / f"{NAME}.json"
    result = json.loads(path.read_text("utf-8")) if path.exists() else {"tables": {}}
    key = f"{task} {model}, {arguments.trials} trials"
    key += ", training rows" if arguments.training_rows else ""
    if key not in result["tables"]:
        start = time.process_time()
        found = compare(task, model, key, arguments)
        found["cpu_seconds"] = round(time.process_time() - start, 1)
        result["tables"][key] = found
        made = script_provenance(device="cpu", optuna=optuna.__version__)
        write_json(NAME, result | {"provenance": made})
    print(key, json.dumps(result["tables"][key]), flush=True)


def compare(task, name, key, arguments):
    """Return the errors of the defaults and of the best parameters on rows not in the study."""
    reader, estimator, space, n_fits = MODELS[name]
    data = fetch_matbench(task, data_home=arguments.data_home, download=False)
    rows = data.folds[0][0] if arguments.training_rows else len(data.target)
    rows = np.random.RandomState(arguments.seed).permutation(rows)
    train, test = rows[:N_TRAIN], rows[N_TRAIN : N_TRAIN + N_TEST]
    # The rows are read once, not in every trial.
    X = reader().fit_transform(data.structures[np.r_[train, test]])
    X, X_test = X[:N_TRAIN], X[N_TRAIN:]
    y, y_test = data.target[train], data.target[test]
    model = estimator(random_state=arguments.seed)
    study = tune_pipeline(
        model,
        X,
        y,
        space=space(),
        n_trials=arguments.trials,
        cv=KFold(3, shuffle=True, random_state=arguments.seed),
        scoring="neg_mean_absolute_error",
        storage=arguments.journal,
        study_name=key,
        random_state=arguments.seed,
        verbose=1,
    )
    tuned = clone(model).set_params(**study.best_params)
    errors = {"defaults": model, "tuned": tuned}
    for kind, one in errors.items():
        errors[kind] = row_errors(one, X, y, X_test, y_test, arguments.seed, n_fits)
    gain = errors["defaults"] - errors["tuned"]
    return {
        "rows": len(y),
        "test_rows": len(y_test),
        "mae": {kind: float(found.mean()) for kind, found in errors.items()},
        "gain_standard_error": float(gain.std(ddof=1) / np.sqrt(len(gain))),
        "cv_mae": {"defaults": study.trials[0].value, "tuned": study.best_value},
        "parameters": study.best_params,
        "trials": study.trials_dataframe()["state"].str.lower().value_counts().to_dict(),
    }


def row_errors(model, X, y, X_test, y_test, seed, n_fits):
    """Return the error of each test row, the mean over fits that differ by their seed."""
    fits = (clone(model).set_params(random_state=seed + k).fit(X, y) for k in range(n_fits))
    return np.mean([np.abs(fit.predict(X_test) - y_test) for fit in fits], axis=0)


if __name__ == "__main__":
    main()
