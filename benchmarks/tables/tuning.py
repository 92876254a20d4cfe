"""Does tuning pay? Nested: the parameters are chosen inside the training rows of a MatBench fold.

    python benchmarks/tables/tuning.py --task jdft2d --folds 0 1 --trials 20

For each outer fold a study looks for parameters by cross-validation of its training rows. Then a
model with the best ones and a model with the defaults are fitted on all training rows, with the
same seeds, and scored on the test rows, which the study has not seen. The studies are kept in a
journal: a run that is started again resumes in the middle of a study, and a second process that
is started at the same time shares the trials. Every finished fold is written to
`benchmarks/results/`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import optuna
from sklearn.base import clone
from sklearn.model_selection import KFold, ShuffleSplit

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.datasets import fetch_matbench, list_matbench
from sklearn_cloud.evaluation import regression_scores
from sklearn_cloud.evaluation.folds import complete_folds
from sklearn_cloud.evaluation.results import open_result, result_path
from sklearn_cloud.tuning import default_space, paper_space, tune_pipeline

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance

SPACES = {"default": default_space, "paper": paper_space}


def tune(model, strings, target, fold, arguments):
    """The study of one outer fold, on its training rows."""
    seed = arguments.seed
    return tune_pipeline(
        model,
        strings,
        target,
        space=SPACES[arguments.space](),
        n_trials=arguments.trials,
        cv=KFold(arguments.inner, shuffle=True, random_state=seed)
        if arguments.inner > 1
        else ShuffleSplit(1, test_size=0.2, random_state=seed),
        scoring="neg_mean_absolute_error",
        storage=arguments.journal,
        study_name=f"{arguments.name} {arguments.task} fold {fold}",
        random_state=seed,
        verbose=1,
    )


def score_fits(model, strings, target, train, test, arguments):
    """Scores on the test rows, the mean over several fits that differ by their seed."""
    scores = []
    for seed in range(arguments.seed, arguments.seed + arguments.fits):
        one = clone(model).set_params(random_state=seed).fit(strings[train], target[train])
        scores.append(regression_scores(target[test], one.predict(strings[test])))
    return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}


def describe(study, model):
    """What a study tried and found; the inner score of the defaults, if it tried them."""
    states = [trial.state.name for trial in study.trials]
    defaults = {name: model.get_params()[name] for name in study.best_params}
    inner = [trial.value for trial in study.trials if trial.params == defaults]
    return {
        "parameters": study.best_params,
        "inner_mae": study.best_value,
        "inner_mae_default": inner[0] if inner else None,
        "trials": {state.lower(): states.count(state) for state in sorted(set(states))},
        "seconds": sum(t.duration.total_seconds() for t in study.trials if t.duration),
    }


def run_fold(model, strings, target, train, test, fold, arguments):
    """Scores of the tuned and of the default model, and what the study found."""
    study = tune(model, strings[train], target[train], fold, arguments)
    tuned = clone(model).set_params(**study.best_params)
    scores = {}
    for name, one in (("tuned", tuned), ("default", model)):
        found = score_fits(one, strings, target, train, test, arguments)
        scores |= {f"{score}_{name}": found[score] for score in ("mae", "rmse")}
    return scores, describe(study, model)


def open_tuning_result(data, arguments):
    """The result file's path, and what is in it already."""
    path = result_path(arguments.results, "tuning", arguments.task, arguments.name)
    result = open_result(
        path,
        benchmark="tuning",
        task=arguments.task,
        model=arguments.name,
        rows=len(data.ids),
        coverage=data.coverage,
        configuration={
            "encoder": arguments.encoder,
            "sites": arguments.sites,
            "parameters": json.loads(arguments.parameters),
            "space": {name: repr(values) for name, values in SPACES[arguments.space]().items()},
            "trials": arguments.trials,
            "inner": arguments.inner,
            "fits": arguments.fits,
            "seed": arguments.seed,
        },
    )
    return path, result


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--task", default="jdft2d", choices=list_matbench())
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    parser.add_argument("--trials", type=int, default=20, help="of each study")
    parser.add_argument("--inner", type=int, default=3, help="inner folds; 1 holds out a fifth")
    parser.add_argument("--fits", type=int, default=3, help="fits whose test scores are averaged")
    parser.add_argument("--space", choices=SPACES, default="default")
    parser.add_argument("--encoder", default="mini", help="none trains from scratch")
    parser.add_argument("--sites", choices=["set", "orbits"], default="orbits")
    parser.add_argument("--parameters", default="{}", help="of the default model, as JSON")
    parser.add_argument("--name", default="cloud-mini-orbits")
    parser.add_argument("--journal", type=Path, default="tuning.journal", help="of the studies")
    parser.add_argument("--results", default=RESULTS, help="folder of the result files")
    arguments = parse_arguments(parser)
    data = fetch_matbench(arguments.task, data_home=arguments.data_home, download=False)
    # The strings are the same in every trial: they are written once.
    strings = SymmetryStringTransformer(sites=arguments.sites).fit_transform(data.structures)
    encoder = None if arguments.encoder == "none" else arguments.encoder
    parameters = {"random_state": arguments.seed, **json.loads(arguments.parameters)}
    model = CloudRegressor(encoder, **parameters)
    path, result = open_tuning_result(data, arguments)

    def score_fold(fold):
        start = time.perf_counter()
        train, test = data.folds[fold]
        scores, found = run_fold(model, strings, data.target, train, test, fold, arguments)
        result.details[str(fold)] = found
        seconds = {"seconds_fit": time.perf_counter() - start, "seconds_predict": 0}
        return {"scores": scores, "n_train": len(train), "n_test": len(test), **seconds}

    def report(fold, entry, kept):
        found = result.details[str(fold)]
        print(f"{arguments.task} fold {fold}: {entry['scores']}, {found}", flush=True)

    made = script_provenance(optuna=optuna.__version__)
    complete_folds(score_fold, result, path, arguments.folds, provenance=made, report=report)
    print(json.dumps(result.summary), flush=True)


if __name__ == "__main__":
    main()
