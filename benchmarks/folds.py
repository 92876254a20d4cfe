"""What the scripts that go fold by fold share: models by name, and the loop over the folds."""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
from common import RESULTS, provenance
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline

import sklearn_cloud
from sklearn_cloud import SymmetryStringTransformer, baselines
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.evaluation import classification_scores, regression_scores
from sklearn_cloud.evaluation.predictions import write_predictions
from sklearn_cloud.evaluation.results import add_fold, open_result, result_path, write_result

#: What can be run, and its category in the paper's tables.
KINDS = {
    "cloud": "Coordinate-free",
    "forest": "Feature-based",
    "dummy": "Dummy",
    "MagpieForestRegressor": "Feature-based",
    "MagpieBoostingRegressor": "Feature-based",
    "GeometryTreesRegressor": "Feature-based",
    "SpaceGroupForestRegressor": "Feature-based",
    "VoronoiForestRegressor": "Feature-based",
    "RoostRegressor": "Structure-agnostic",
    "CrabNetRegressor": "Structure-agnostic",
    "FinderRegressor": "Structure-agnostic",
    "WrenformerRegressor": "Coordinate-free",
    "MatInFormerRegressor": "Coordinate-free",
    "SlicesBertRegressor": "Coordinate-free",
    "CGCNNRegressor": "Structure-based",
    "MEGNetRegressor": "Structure-based",
    "PotentialEnergyRegressor": "Structure-based (MLIP)",
    "PhysicsTreesRegressor": "Structure-based (MLIP)",
    "chgnet": "Structure-based (MLIP)",
    "sevennet": "Structure-based (MLIP)",
}
WITHOUT_EFFECT = ("cache", "device", "n_jobs", "verbose")  # parameters that change no score


def model_name(text):
    """Full name of a model: "MagpieForest" and "magpie-forest" are MagpieForestRegressor."""
    short = {name.lower().removesuffix("regressor"): name for name in KINDS}
    found = short.get(text.lower().replace("-", "").removesuffix("regressor"))
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(KINDS)}")
    return found


def build_baseline(arguments):
    """A baseline with the given seed and parameters, the others as its class has them."""
    model = getattr(baselines, arguments.model)()
    chosen = {"random_state": arguments.seed, "device": arguments.device, "verbose": 1}
    known = model.get_params()
    model.set_params(**{name: value for name, value in chosen.items() if name in known})
    model.set_params(**json.loads(arguments.parameters))
    settings = {k: v for k, v in model.get_params().items() if k not in WITHOUT_EFFECT}
    return model, {"model": arguments.model, **settings}


def build_model(arguments, classification):
    """An unfitted pipeline, and every setting of it that can change a score."""
    seed = arguments.seed
    if hasattr(baselines, arguments.model):
        if classification:
            raise SystemExit(f"{arguments.model} predicts numbers, and the task has classes")
        return build_baseline(arguments)
    if arguments.model == "dummy":
        dummy = DummyClassifier() if classification else DummyRegressor(strategy="mean")
        return make_pipeline(ElementFractions(), dummy), {"model": "dummy", "strategy": "mean"}
    if arguments.model == "forest":
        forest = RandomForestClassifier if classification else RandomForestRegressor
        model = make_pipeline(ElementFractions(), forest(300, random_state=seed, n_jobs=-1))
        return model, {"model": "forest", "trees": 300, "seed": seed}
    if arguments.model in ("chgnet", "sevennet"):
        features = baselines.PotentialFeatures(arguments.model, device=arguments.device)
        trees = ExtraTreesRegressor(300, random_state=seed, n_jobs=-1)
        settings = {"model": arguments.model, "head": "extra-trees", "trees": 300, "seed": seed}
        return make_pipeline(features, trees), settings
    strings = {"sites": arguments.sites, "symprec": arguments.symprec}
    encoder = None if arguments.encoder == "none" else arguments.encoder
    training = {"max_epochs": arguments.epochs, "random_state": seed}
    training |= json.loads(arguments.parameters)
    kind = sklearn_cloud.CloudClassifier if classification else sklearn_cloud.CloudRegressor
    estimator = kind(encoder, device=arguments.device, verbose=1, **training)
    transformer = SymmetryStringTransformer(**strings)
    settings = {"model": "cloud", "encoder": arguments.encoder, **strings, **training}
    if arguments.members > 1:
        settings["members"] = arguments.members
        transformer.set_output(transform="pandas")  # bagging wants a table
        bagging = BaggingClassifier if classification else BaggingRegressor
        estimator = bagging(estimator, arguments.members, bootstrap=False, random_state=seed)
    return make_pipeline(transformer, estimator), settings


def add_arguments(parser):
    """Arguments of every script that goes fold by fold."""
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    parser.add_argument("--name", required=True, help="name of the model in the result files")
    parser.add_argument(
        "--model", type=model_name, default="cloud", help=f"one of {', '.join(KINDS)}"
    )
    parser.add_argument("--encoder", default="none", help="none trains from scratch")
    parser.add_argument("--sites", choices=["set", "orbits"], default="set")
    parser.add_argument("--symprec", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--members", type=int, default=1, help="average that many seeds")
    parser.add_argument("--parameters", default="{}", help="more of the estimator's, as JSON")
    parser.add_argument("--device", default=None)
    parser.add_argument("--predictions", type=Path, help="folder in which predictions are kept")
    parser.add_argument("--results", default=RESULTS, help="folder of the result files")


def run_folds(benchmark, task, data, arguments):
    """Score the folds that are missing, writing each as soon as it is done."""
    classification = data.task_type == "classification"
    model, configuration = build_model(arguments, classification)
    path = result_path(arguments.results, benchmark, task, arguments.name)
    result = open_result(
        path,
        benchmark=benchmark,
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
        predicted, measured = fit_and_predict(model, data, train, test, classification)
        if arguments.predictions:
            file = predictions_path(arguments.predictions, path, fold)
            write_predictions(file, data.ids[test].tolist(), predicted, data.target[test])
        score = classification_scores if classification else regression_scores
        seconds = {key: measured.pop(key) for key in ("seconds_fit", "seconds_predict")}
        scores = score(data.target[test], predicted)
        add_fold(result, fold, scores, n_train=len(train), n_test=len(test), **seconds)
        result["folds"][str(fold)] |= {**measured, **measure_size(model)}
        result["provenance"] = provenance(device=arguments.device or "auto")
        write_result(path, result)
        print(f"{task} fold {fold}: {scores}", flush=True)
    print(f"{task} {arguments.name}: {json.dumps(result['summary'])}", flush=True)


def predictions_path(folder, result_file, fold):
    """File of the predictions of one fold."""
    return Path(folder) / f"{Path(result_file).stem}_fold{fold}.csv.gz"


def fit_and_predict(model, data, train, test, classification):
    """Predictions of the test rows, and the seconds that it took."""
    start, start_cpu = time.perf_counter(), time.process_time()
    model.fit(data.structures[train], data.target[train])
    fitted, fitted_cpu = time.perf_counter(), time.process_time()
    predicted = predict(model, data.structures[test], classification)
    done, done_cpu = time.perf_counter(), time.process_time()
    return predicted, {
        "seconds_fit": fitted - start,
        "seconds_predict": done - fitted,
        # what a machine that others use as well takes nothing away from
        "cpu_seconds_fit": round(fitted_cpu - start_cpu, 3),
        "cpu_seconds_predict": round(done_cpu - fitted_cpu, 3),
    }


def measure_size(model):
    """Trained weights, if it counts them, and peak memory of the process up to here."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux
    estimator = model[-1] if hasattr(model, "steps") else model
    weights = getattr(estimator, "n_parameters_", None)
    size = {"peak_memory_mib": round(peak / 1024)}
    return size if weights is None else {"n_parameters": weights, **size}


def predict(model, structures, classification):
    if not classification:
        return model.predict(structures)
    return model.predict_proba(structures)[:, np.flatnonzero(model.classes_)[0]]
