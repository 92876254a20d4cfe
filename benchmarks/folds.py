"""What the scripts that go fold by fold share: models by name, and the loop over the folds."""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
from common import RESULTS, provenance

from sklearn_cloud.baselines import registry
from sklearn_cloud.baselines.registry import MODELS, find_model
from sklearn_cloud.evaluation import classification_scores, regression_scores
from sklearn_cloud.evaluation.predictions import write_predictions
from sklearn_cloud.evaluation.results import add_fold, open_result, result_path, write_result

#: What the scripts start CLOUD with, as the recorded commands do.
CLOUD = {"encoder": "none", "sites": "set"}


def model_name(text):
    """Name of a model in the registry."""
    try:
        return find_model(text).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def build_model(arguments, classification=False):
    """An unfitted model, and every setting of it that can change a score."""
    given = {
        "encoder": arguments.encoder,
        "sites": arguments.sites,
        "symprec": arguments.symprec,
        "max_epochs": arguments.epochs,
        "members": arguments.members,
    }
    parameters = CLOUD.copy() if arguments.model == "cloud" else {}
    parameters |= {name: value for name, value in given.items() if value is not None}
    parameters |= json.loads(arguments.parameters)
    return registry.build_model(
        arguments.model,
        classification=classification,
        parameters=parameters,
        random_state=arguments.seed,
        device=arguments.device,
        verbose=1,
    )


def add_arguments(parser):
    """Arguments of every script that goes fold by fold."""
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    parser.add_argument("--name", required=True, help="name of the model in the result files")
    parser.add_argument(
        "--model", type=model_name, default="cloud", help=f"one of {', '.join(MODELS)}"
    )
    parser.add_argument("--encoder", help="of cloud; none (default) trains from scratch")
    parser.add_argument("--sites", choices=["set", "orbits"], help="of cloud (default: set)")
    parser.add_argument("--symprec", type=float)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--members", type=int, help="of cloud: average that many seeds")
    parser.add_argument("--parameters", default="{}", help="more of the model's, as JSON")
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
        kind=MODELS[arguments.model].kind,
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
