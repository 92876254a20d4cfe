"""`sklearn-cloud benchmark`: the official folds of a MatBench task."""

import json
import sys
from pathlib import Path

from ..baselines.registry import MODELS
from .options import add_command, add_output, add_strings, add_training, whole_number

DESCRIPTION = """\
Fit and score a model on the official folds of a MatBench task. The data are read from --data-home,
or the folder in the environment variable SKLEARN_CLOUD_DATA, and downloaded if they are missing.
Scores and predictions are saved after each fold: the same command resumes with the missing folds.
Other settings are saved as another result.

    sklearn-cloud benchmark jdft2d
    sklearn-cloud benchmark jdft2d --model roost
    sklearn-cloud benchmark dielectric --folds 0 1 --encoder none -o scores.csv
    sklearn-cloud benchmark jdft2d --model cgcnn --parameters '{"max_epochs": 50}'

The tasks: steels, jdft2d, phonons, expt_gap, dielectric, expt_is_metal, glass, log_gvrh, log_kvrh,
perovskites, mp_gap, mp_is_metal, mp_e_form.

`sklearn-cloud info` lists the models next to cloud. Each model has its own defaults; those below
are the defaults of cloud.
"""


def add_parser(commands):
    parser = add_command(
        commands,
        "benchmark",
        run,
        "score a model on a MatBench task",
        DESCRIPTION,
    )
    parser.add_argument("task", metavar="TASK", help="for example jdft2d")
    parser.add_argument(
        "--model",
        default="cloud",
        metavar="NAME",
        help=f"one of {', '.join(MODELS)} (default: cloud)",
    )
    parser.add_argument(
        "--folds", nargs="+", type=int, choices=range(5), default=range(5), help="(default: all)"
    )
    parser.add_argument("--data-home", metavar="FOLDER", help="folder of the MatBench tables")
    parser.add_argument(
        "--jobs",
        type=whole_number,
        default=1,
        metavar="N",
        help="number of processes that read crystals",
    )
    parser.add_argument("--parameters", metavar="JSON", help="further parameters of the model")
    for name in ("results", "predictions"):
        parser.add_argument(
            f"--{name}",
            type=Path,
            metavar="FOLDER",
            help=f"folder of the {name} (default: {name} in the data folder)",
        )
    add_output(parser, "table of the scores", required=False)
    add_strings(parser)
    add_training(parser, parser, epochs=50)
    # what is not given is left to the model
    unsaid = ("parts", "sites", "symprec", "encoder", "epochs")
    parser.set_defaults(**dict.fromkeys(unsaid), when_interrupted="the finished folds are saved.")


def run(arguments):
    import pandas as pd

    from ..baselines.registry import find_model
    from ..datasets import fetch_matbench
    from .messages import note, say, show_progress
    from .table_output import check_output, write_table

    check_output(arguments)
    parameters = read_parameters(arguments)
    find_model(arguments.model)  # before a table is downloaded for it
    data = fetch_matbench(
        arguments.task, data_home=arguments.data_home, verbose=show_progress(arguments)
    )
    if not arguments.quiet:
        note(data.DESCR)
    rows, kept = [], []

    def show(fold, entry, earlier):
        seconds = entry["seconds_fit"] + entry["seconds_predict"]
        rows.append({"fold": fold, **entry["scores"], "seconds": seconds})
        kept.extend([str(fold)] * earlier)
        if len(rows) == 1:
            say(format_row(rows[0]))
        say(format_row(rows[-1].values()))

    _, path = score(arguments, data, parameters, show)
    if kept and not arguments.quiet:
        note(f"fold {', '.join(kept)}: from an earlier run with the same settings ({path})")
    table = pd.DataFrame(rows)
    if len(rows) > 1:
        for name, numbers in (("mean", table.mean()), ("std", table.std(ddof=0))):
            say(format_row([name, *numbers[1:]]))
    if arguments.output:
        write_table(table, arguments.output)


def read_parameters(arguments):
    """Return the parameters of the model given on the command line."""
    given = {
        "encoder": arguments.encoder,
        "sites": arguments.sites,
        "symprec": arguments.symprec,
        "parts": arguments.parts,
        "max_epochs": arguments.epochs,
    }
    parameters = {name: value for name, value in given.items() if value is not None}
    return parameters | read_json_object(arguments.parameters)


def read_json_object(text):
    """Return the parameters in the text of --parameters; None is no parameters."""
    from .messages import UsageError

    try:
        found = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise UsageError(f"--parameters is not valid JSON: {error}.") from error
    if not isinstance(found, dict):
        raise UsageError("--parameters must be a JSON object such as '{\"batch_size\": 64}'.")
    return found


def score(arguments, data, parameters, show):
    """Score the missing folds, show all folds, and return the result and its file."""
    from ..datasets import get_data_home
    from ..evaluation.folds import run_model
    from ..evaluation.provenance import provenance
    from .messages import show_progress

    home = get_data_home(arguments.data_home)
    return run_model(
        arguments.model,
        data,
        benchmark="matbench",
        task=arguments.task,
        results=arguments.results or home / "results",
        predictions=arguments.predictions or home / "predictions",
        folds=arguments.folds,
        parameters=parameters,
        provenance=provenance(["sklearn-cloud"], sys.argv[1:]),
        report=show,
        random_state=arguments.seed,
        device=arguments.device,
        n_jobs=arguments.jobs,
        verbose=show_progress(arguments),
    )


def format_row(cells):
    texts = (f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells)
    return "".join(f"{text:>18}" for text in texts)
