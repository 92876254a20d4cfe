"""Scores on MatBench, fold by fold, through fit and predict.

    python benchmarks/run_matbench.py --tasks jdft2d dielectric --name cloud-scratch --encoder none
    python benchmarks/run_matbench.py --tasks jdft2d --name forest --model forest

Every finished fold is written to `benchmarks/results/`; a run that is started again goes on with
the folds that are missing, and refuses to mix results of different configurations.
"""

import json
import time

import numpy as np
from common import RESULTS, argument_parser, parse_arguments, provenance
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline

import sklearn_cloud
from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.datasets import fetch_matbench, list_matbench
from sklearn_cloud.evaluation import classification_scores, regression_scores
from sklearn_cloud.evaluation.results import add_fold, open_result, result_path, write_result

KINDS = {"cloud": "Coordinate-free", "forest": "Feature-based", "dummy": "Dummy"}


def build_model(arguments, classification):
    """An unfitted pipeline, and every setting of it that can change a score."""
    seed = arguments.seed
    if arguments.model == "dummy":
        dummy = DummyClassifier() if classification else DummyRegressor(strategy="mean")
        return make_pipeline(ElementFractions(), dummy), {"model": "dummy", "strategy": "mean"}
    if arguments.model == "forest":
        forest = RandomForestClassifier if classification else RandomForestRegressor
        model = make_pipeline(ElementFractions(), forest(300, random_state=seed, n_jobs=-1))
        return model, {"model": "forest", "trees": 300, "seed": seed}
    strings = {"sites": arguments.sites, "symprec": arguments.symprec}
    encoder = None if arguments.encoder == "none" else arguments.encoder
    training = {"max_epochs": arguments.epochs, "random_state": seed}
    training |= json.loads(arguments.parameters)
    estimator = sklearn_cloud.CloudClassifier if classification else sklearn_cloud.CloudRegressor
    model = make_pipeline(
        SymmetryStringTransformer(**strings),
        estimator(encoder, device=arguments.device, verbose=1, **training),
    )
    return model, {"model": "cloud", "encoder": arguments.encoder, **strings, **training}


def run_task(task, arguments):
    data = fetch_matbench(task, data_home=arguments.data_home, download=False)
    classification = data.task_type == "classification"
    model, configuration = build_model(arguments, classification)
    path = result_path(arguments.results, "matbench", task, arguments.name)
    result = open_result(
        path,
        benchmark="matbench",
        task=task,
        model=arguments.name,
        kind=KINDS[arguments.model],
        rows=len(data.ids),
        coverage=data.coverage,
        configuration=configuration,
    )
    for fold in arguments.folds:
        if str(fold) in result["folds"]:
            continue
        train, test = data.folds[fold]
        start = time.perf_counter()
        model.fit(data.structures[train], data.target[train])
        fitted = time.perf_counter()
        predicted = predict(model, data.structures[test], classification)
        done = time.perf_counter()
        score = classification_scores if classification else regression_scores
        add_fold(
            result,
            fold,
            score(data.target[test], predicted),
            seconds_fit=fitted - start,
            seconds_predict=done - fitted,
            n_train=len(train),
            n_test=len(test),
        )
        result["provenance"] = provenance(device=arguments.device or "auto")
        write_result(path, result)
        print(f"{task} fold {fold}: {result['folds'][str(fold)]['scores']}", flush=True)
    print(f"{task} {arguments.name}: {json.dumps(result['summary'])}", flush=True)


def predict(model, structures, classification):
    if not classification:
        return model.predict(structures)
    return model.predict_proba(structures)[:, np.flatnonzero(model.classes_)[0]]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["jdft2d"], choices=list_matbench())
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    parser.add_argument("--name", required=True, help="name of the model in the result files")
    parser.add_argument("--model", choices=KINDS, default="cloud")
    parser.add_argument("--encoder", default="none", help="none trains from scratch")
    parser.add_argument("--sites", choices=["set", "orbits"], default="set")
    parser.add_argument("--symprec", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--parameters", default="{}", help="more of the estimator's, as JSON")
    parser.add_argument("--device", default=None)
    parser.add_argument("--results", default=RESULTS, help="folder of the result files")
    arguments = parse_arguments(parser)
    for task in arguments.tasks:
        run_task(task, arguments)


if __name__ == "__main__":
    main()
