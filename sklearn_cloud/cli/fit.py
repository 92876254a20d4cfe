"""`sklearn-cloud fit`: fit a model on a table of crystals and targets."""

import warnings
from numbers import Real
from pathlib import Path

from .messages import UsageError
from .options import (
    PARTS,
    add_command,
    add_effort,
    add_output,
    add_rows,
    add_strings,
    add_training,
    encoder_argument,
    positive,
    string_options,
    whole_number,
)

DESCRIPTION = """\
Fit a model on a table of crystals and a property, and save it in a folder for `sklearn-cloud
predict`. One column of the table has the crystals: paths of files (relative to the table), ids of
files in --folder, CIF text, structures or formulas. Another has the target.

The default model is `CrystalRegressor` (`CrystalClassifier` with --classify): several different
models, weighted by their predictions of rows left out, with prediction intervals; all rows are
structures, or all are formulas. With --model cloud, the pre-trained encoder alone is fine-tuned on
symmetry strings, and a tenth of the rows is held out to choose the best epoch. An interrupted fit
writes nothing. Load the fitted model with `sklearn_cloud.load_model("gaps")`.

    sklearn-cloud fit targets.csv --target band_gap -o gaps
    sklearn-cloud fit targets.csv --target band_gap -o gaps --effort fast
    sklearn-cloud fit id_prop.csv --no-header --folder cifs --target 2 -o model
    sklearn-cloud fit targets.csv --target is_metal --classify -o metals
    sklearn-cloud fit targets.csv --target band_gap -o gaps --model cloud --epochs 100 --patience 20
    sklearn-cloud fit targets.csv --target band_gap -o gaps --model cloud --encoder run/encoder
"""
#: Options of `--model cloud` and their defaults.
CLOUD_OPTIONS = {
    "encoder": "mini",
    "epochs": 50,
    "batch_size": 32,
    "learning_rate": 5e-4,
    "patience": None,
    "sites": "orbits",
    "symprec": 0.1,
    "parts": PARTS,
}
NOT_EXPECTED = """\
The lowest validation error has chosen the epoch: new crystals have a larger one. To estimate it:
    sklearn-cloud evaluate {table} --target {target} -o report"""


def add_parser(commands):
    parser = add_command(commands, "fit", run, "fit a model on a table", DESCRIPTION)
    parser.add_argument("table", type=Path, help="table (CSV, JSON, Parquet, Excel, ...)")
    parser.add_argument("--target", required=True, metavar="NAME", help="column to predict")
    parser.add_argument("--classify", action="store_true", help="the target is a class label")
    add_output(parser, "folder for the model")
    add_rows(parser)
    parser.add_argument(
        "--model",
        choices=["crystal", "cloud"],
        default="crystal",
        help="an ensemble with intervals, or the fine-tuned encoder alone (default: crystal)",
    )
    add_effort(parser)
    cloud = parser.add_argument_group("options of --model cloud")
    add_strings(cloud)
    add_training(cloud, parser, epochs=50)
    cloud.add_argument("--batch-size", type=whole_number, default=32, help="(default: 32)")
    cloud.add_argument(
        "--learning-rate", type=positive, default=5e-4, help="peak value (default: 5e-4)"
    )
    cloud.add_argument(
        "--patience",
        type=whole_number,
        metavar="N",
        help="stop after N epochs without a lower validation loss (default: never)",
    )


def run(arguments):
    from ..crystals.collection import check_data_column
    from ..crystals.table_files import COMMAND_LINE
    from ..estimators.folders import MODEL_FILE
    from .inputs import read_all, read_table
    from .messages import note, say
    from .outputs import check_folder

    check_options(arguments)
    check_folder(arguments.output, arguments.overwrite, MODEL_FILE)
    crystals = read_table(arguments.table, arguments)
    check_data_column(crystals, arguments.target, "--target", COMMAND_LINE)
    problems = find_bad_targets(crystals, arguments)
    check_start(arguments)
    model, compute = build_model(arguments)
    rows, crystals = read_all(crystals, compute, arguments, problems)
    target = read_target(crystals.frame[arguments.target], arguments.classify)
    if not arguments.quiet:
        note(f"{len(rows)} crystals; {describe_target(target, arguments)}")
    estimator = getattr(model, "steps", [("", model)])[-1][1].fit(rows, target)
    summary = describe_fit(estimator)
    write_model(model, estimator, summary, len(rows), arguments)
    if not arguments.quiet:
        say("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in summary.items()))
        if getattr(estimator, "validation_scores_", None):
            say(NOT_EXPECTED.format(table=arguments.table, target=arguments.target))
        say(f"model: {arguments.output}")


def check_options(arguments):
    """Raise UsageError for options of the other model."""
    if arguments.model == "cloud":
        if arguments.effort is not None:
            raise UsageError("--effort applies to --model crystal only.")
        return
    for name, default in CLOUD_OPTIONS.items():
        value = getattr(arguments, name)
        if value != default:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} applies to the encoder alone: add --model cloud.")


def check_start(arguments):
    """Check that encoder and device exist, before the crystals are read."""
    from ..encoder.sources import find_checkpoint
    from ..training.devices import choose_device

    if encoder_argument(arguments.encoder) is not None:
        find_checkpoint(arguments.encoder)
    try:
        choose_device(arguments.device)
    except ValueError as error:
        raise ValueError(f"{error} On the command line, leave out --device.") from error


def build_model(arguments):
    """Return the unfitted model, and what it is to be fitted on, as for `inputs.stream`."""
    from .messages import show_progress

    options = {
        "device": arguments.device,
        "random_state": arguments.seed,
        "verbose": show_progress(arguments),
    }
    if arguments.model == "crystal":
        from .. import CrystalClassifier, CrystalRegressor

        ensemble = CrystalClassifier if arguments.classify else CrystalRegressor
        return ensemble(arguments.effort or "default", n_jobs=arguments.jobs, **options), list
    return _build_pipeline(arguments, options)


def _build_pipeline(arguments, options):
    from functools import partial

    from sklearn.pipeline import make_pipeline

    from .. import CloudClassifier, CloudRegressor, SymmetryStringTransformer
    from ..symmetry.strings import compose_strings

    estimator = CloudClassifier if arguments.classify else CloudRegressor
    strings = string_options(arguments)
    pipeline = make_pipeline(
        SymmetryStringTransformer(**strings),
        estimator(
            encoder_argument(arguments.encoder),
            max_epochs=arguments.epochs,
            batch_size=arguments.batch_size,
            learning_rate=arguments.learning_rate,
            patience=arguments.patience,
            **options,
        ),
    )
    return pipeline, partial(compose_strings, **strings)


def find_bad_targets(crystals, arguments):
    """Return {name: problem} of rows whose target is missing or, in a regression, not a number."""
    import numpy as np
    import pandas as pd

    column = crystals.frame[arguments.target]
    missing = column.isna().to_numpy()
    if arguments.classify:
        bad = missing
    else:
        bad = ~np.isfinite(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float))
        if len(bad) and bad.all() and not missing.all():
            example = column[~missing].iloc[0]
            raise ValueError(
                f"the column {arguments.target!r} of {arguments.table} contains no numbers (the "
                f"first value is {example!r}). If these are classes, add --classify."
            )
    return {
        crystals.names[row]: f"its {arguments.target} is missing"
        if missing[row]
        else f"its {arguments.target} is {column.iloc[row]!r}, not a number"
        for row in np.flatnonzero(bad)
    }


def read_target(column, classify):
    """Return the targets as an array; whole numbers that are classes are integers.

    Warns if all targets of a regression are equal.
    """
    import numpy as np
    import pandas as pd

    if not classify:
        target = pd.to_numeric(column).to_numpy(dtype=float)
        if len(target) > 1 and (target == target[0]).all():
            warnings.warn(
                f"the column {column.name!r} is {target[0]:g} in all {len(target)} rows: every "
                "model will predict this number. Is it the right column?",
                stacklevel=2,
            )
        return target
    if _are_whole_numbers(column):
        return pd.to_numeric(column).to_numpy().astype(np.int64)
    numbers = pd.to_numeric(column, errors="coerce")
    fractional = numbers.notna().all() and (numbers % 1 != 0).any()
    if fractional and column.nunique() > len(column) / 2:
        raise ValueError(
            f"the column {column.name!r} has {column.nunique()} different numbers in "
            f"{len(column)} rows; these are not classes: leave out --classify."
        )
    labels = column.tolist()
    if len({type(label) for label in labels}) > 1:
        labels = [str(label) for label in labels]
    return np.array(labels)


def _are_whole_numbers(column):
    """Whether the labels are integers, also as text, or as floats, which gaps make of them.

    Text with other digits, such as 007, is a name.
    """
    kinds = {type(label) for label in column}
    if kinds == {str}:
        return column.str.fullmatch(r"(0|-?[1-9]\d{0,14})(\.0)?").all()
    numbers = all(issubclass(kind, Real) and kind is not bool for kind in kinds)
    return numbers and all(label % 1 == 0 and abs(label) < 1e15 for label in column)


def describe_target(target, arguments):
    import numpy as np

    if not arguments.classify:
        return f"{arguments.target} from {target.min():g} to {target.max():g}"
    counts = zip(*np.unique(target, return_counts=True))
    return f"{arguments.target}: " + ", ".join(f"{count} x {label}" for label, count in counts)


def describe_fit(estimator):
    """Summarize the training."""
    if hasattr(estimator, "members_"):
        return _describe_ensemble(estimator)
    summary = {"epochs": estimator.n_iter_, "best_epoch": estimator.best_epoch_}
    if estimator.validation_scores_:
        # of the best of many epochs: lower than the error on new crystals
        best = min(estimator.validation_scores_)
        if hasattr(estimator, "classes_"):
            summary["lowest_validation_cross_entropy"] = round(best, 4)
        else:
            # the loss is the mean absolute error of the standardised target
            error = best * float(estimator.target_scale_[0])
            summary["lowest_validation_error"] = float(f"{error:.4g}")
    return summary


def _describe_ensemble(estimator):
    if hasattr(estimator, "classes_"):
        summary = {"expected_accuracy": float(f"{estimator.expected_accuracy_:.4g}")}
    else:
        summary = {"expected_mean_absolute_error": float(f"{estimator.expected_error_:.4g}")}
    weights = sorted(estimator.weights_.items(), key=lambda item: -item[1])
    members = ", ".join(f"{name} {weight:.2f}" for name, weight in weights if weight > 0)
    return {**summary, "members_and_weights": members}


def write_model(model, estimator, summary, n_crystals, arguments):
    """Save the model in its folder."""
    from ..estimators.folders import save_model

    # Another machine may have another device, and `predict` decides about its progress bar.
    estimator.set_params(device=None, verbose=0)
    training = {"table": arguments.table.name, "crystals": n_crystals, **summary}
    save_model(model, arguments.output, target=arguments.target, training=training)
