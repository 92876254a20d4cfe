"""What the scripts that score fold by fold share: their arguments, and the call of the runner."""

import argparse
import json
from pathlib import Path

from common import RESULTS, script_provenance

from sklearn_cloud.baselines.registry import MODELS, find_model
from sklearn_cloud.datasets import get_data_home
from sklearn_cloud.evaluation.folds import run_model

#: What the scripts start CLOUD with, as the recorded commands do.
CLOUD = {"encoder": "none", "sites": "set"}


def model_name(text):
    """Name of a model in the registry."""
    try:
        return find_model(text).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_model(parser, **options):
    """Arguments of a script that takes a model by its name."""
    parser.add_argument(
        "--model", type=model_name, help=f"one of {', '.join(MODELS)}", metavar="NAME", **options
    )
    parser.add_argument("--parameters", default="{}", help="of the model, as JSON")
    parser.add_argument("--device")


def add_arguments(parser):
    """Arguments of every script that scores fold by fold."""
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    parser.add_argument("--name", required=True, help="name of the model in the result files")
    add_model(parser, default="cloud")
    parser.add_argument("--encoder", help="of cloud; none (default) trains from scratch")
    parser.add_argument("--sites", choices=["set", "orbits"], help="of cloud (default: set)")
    parser.add_argument("--symprec", type=float)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--members", type=int, help="of cloud: average that many seeds")
    parser.add_argument(
        "--predictions",
        type=Path,
        help="folder in which the predictions are kept (default: predictions in the data folder)",
    )
    parser.add_argument("--results", default=RESULTS, help="folder of the result files")


def predictions_folder(arguments):
    """Where predictions are kept."""
    return arguments.predictions or get_data_home(arguments.data_home) / "predictions"


def model_options(arguments):
    """What `run_model` is to pass on: the options that a model lacks have no effect on it."""
    given = {
        "encoder": arguments.encoder,
        "sites": arguments.sites,
        "symprec": arguments.symprec,
        "max_epochs": arguments.epochs,
        "members": arguments.members,
        "random_state": arguments.seed,
        "device": arguments.device,
    }
    options = CLOUD if arguments.model == "cloud" else {}
    options = options | {name: value for name, value in given.items() if value is not None}
    return {"parameters": json.loads(arguments.parameters), "verbose": 1, **options}


def run_folds(benchmark, task, data, arguments):
    """Score the folds that are missing, writing each as soon as it is done."""

    def report(fold, entry, kept):
        print(f"{task} fold {fold}: {entry['scores']}{' (kept)' if kept else ''}", flush=True)

    result, _ = run_model(
        arguments.model,
        data,
        benchmark=benchmark,
        task=task,
        name=arguments.name,
        results=arguments.results,
        predictions=predictions_folder(arguments),
        folds=arguments.folds,
        provenance=script_provenance(device=arguments.device or "auto"),
        report=report,
        **model_options(arguments),
    )
    print(f"{task} {arguments.name}: {json.dumps(result.summary)}", flush=True)
