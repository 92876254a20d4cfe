"""`sklearn-cloud benchmark`: the official folds of a MatBench task."""

import time

from .options import (
    add_command,
    add_output,
    add_strings,
    add_training,
    encoder_argument,
    string_options,
    whole_number,
)

DESCRIPTION = """\
Fit and score a model on the official folds of a MatBench task. The table of the task is read from
--data-home or the folder in the environment variable SKLEARN_CLOUD_DATA; where it is missing it is
downloaded.

    sklearn-cloud benchmark jdft2d
    sklearn-cloud benchmark dielectric --folds 0 1 --encoder none -o scores.csv

The tasks: steels, jdft2d, phonons, expt_gap, dielectric, expt_is_metal, glass, log_gvrh, log_kvrh,
perovskites, mp_gap, mp_is_metal, mp_e_form.
"""


def add_parser(commands):
    parser = add_command(
        commands,
        "benchmark",
        run,
        "the folds of a MatBench task",
        DESCRIPTION,
    )
    parser.add_argument("task", metavar="TASK", help="for example jdft2d")
    parser.add_argument(
        "--folds", nargs="+", type=int, choices=range(5), default=range(5), help="(default: all)"
    )
    parser.add_argument("--data-home", metavar="FOLDER", help="where the tables are")
    parser.add_argument(
        "--jobs", type=whole_number, default=1, metavar="N", help="processes that find symmetries"
    )
    add_output(parser, "table of the scores to write", required=False)
    add_strings(parser)
    add_training(parser, epochs=50)


def run(arguments):
    import pandas as pd

    from ..datasets import fetch_matbench
    from .messages import note, say, show_progress
    from .tables import check_output, write_table

    check_output(arguments)
    data = fetch_matbench(
        arguments.task, data_home=arguments.data_home, verbose=show_progress(arguments)
    )
    if not arguments.quiet:
        note(data.DESCR)
    model = build_model(arguments, data.task_type == "classification")
    rows = []
    for fold in arguments.folds:
        rows.append(score_fold(model, data, fold))
        if len(rows) == 1:
            say(format_row(rows[0]))
        say(format_row(rows[-1].values()))
    table = pd.DataFrame(rows)
    if len(rows) > 1:
        for name, numbers in (("mean", table.mean()), ("std", table.std(ddof=0))):
            say(format_row([name, *numbers[1:]]))
    if arguments.output:
        write_table(table, arguments.output)


def build_model(arguments, classification):
    """The unfitted pipeline."""
    from sklearn.pipeline import make_pipeline

    from .. import CloudClassifier, CloudRegressor, SymmetryStringTransformer
    from .messages import show_progress

    estimator = CloudClassifier if classification else CloudRegressor
    return make_pipeline(
        SymmetryStringTransformer(**string_options(arguments), n_jobs=arguments.jobs),
        estimator(
            encoder_argument(arguments.encoder),
            max_epochs=arguments.epochs,
            device=arguments.device,
            random_state=arguments.seed,
            verbose=show_progress(arguments),
        ),
    )


def score_fold(model, data, fold):
    """Fit on the training rows of a fold, and score on its test rows."""
    import numpy as np

    from ..evaluation import classification_scores, regression_scores

    train, test = data.folds[fold]
    start = time.perf_counter()
    model.fit(data.structures[train], data.target[train])
    if data.task_type == "classification":
        chances = model.predict_proba(data.structures[test])
        scores = classification_scores(
            data.target[test], chances[:, np.flatnonzero(model.classes_)[0]]
        )
    else:
        scores = regression_scores(data.target[test], model.predict(data.structures[test]))
    return {"fold": fold, **scores, "seconds": time.perf_counter() - start}


def format_row(cells):
    texts = (f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells)
    return "".join(f"{text:>18}" for text in texts)
