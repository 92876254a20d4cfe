"""`sklearn-cloud fit`: fine-tune a model on a table of crystals and targets."""

from pathlib import Path

from .options import (
    add_command,
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
Fine-tune the pre-trained encoder on a table of crystals and a property, and save the model in a
folder for `sklearn-cloud predict`. One column of the table has the crystals: paths of files
(relative to the table), ids of files in --folder, CIF text, structures or formulas. Another has the
target. A tenth of the rows is held out to choose the best epoch. An interrupted fit writes nothing;
in Python it keeps the best epoch so far. Load the fitted pipeline with
`sklearn_cloud.load_model("gaps")`.

    sklearn-cloud fit targets.csv --target band_gap -o gaps
    sklearn-cloud fit id_prop.csv --no-header --folder cifs --target 2 -o model
    sklearn-cloud fit targets.csv --target is_metal --classify -o metals
    sklearn-cloud fit targets.csv --target band_gap -o gaps --epochs 100 --patience 20 --device cuda
    sklearn-cloud fit targets.csv --target band_gap -o gaps --encoder my_pretraining/encoder
"""
NOT_EXPECTED = """\
The lowest validation error has chosen the epoch: new crystals have a larger one. To estimate it:
    sklearn-cloud evaluate {table} --target {target} -o report"""


def add_parser(commands):
    parser = add_command(commands, "fit", run, "fine-tune a model on a table", DESCRIPTION)
    parser.add_argument("table", type=Path, help="table (CSV, JSON, Parquet, Excel, ...)")
    parser.add_argument("--target", required=True, metavar="NAME", help="column to predict")
    parser.add_argument("--classify", action="store_true", help="the target is a class label")
    add_output(parser, "folder for the model")
    add_rows(parser)
    add_strings(parser)
    add_training(parser, epochs=50)
    parser.add_argument("--batch-size", type=whole_number, default=32, help="(default: 32)")
    parser.add_argument(
        "--learning-rate", type=positive, default=5e-4, help="peak value (default: 5e-4)"
    )
    parser.add_argument(
        "--patience",
        type=whole_number,
        metavar="N",
        help="stop after N epochs without a lower validation loss (default: never)",
    )


def run(arguments):
    from ..crystals.table_files import COMMAND_LINE, check_column
    from ..estimators.folders import MODEL_FILE
    from .inputs import read_strings, read_table
    from .messages import note, say
    from .outputs import check_folder

    check_folder(arguments.output, arguments.overwrite, MODEL_FILE)
    crystals = read_table(arguments.table, arguments)
    check_column(crystals.frame, arguments.target, arguments.table, COMMAND_LINE)
    problems = find_bad_targets(crystals, arguments)
    check_start(arguments)
    model = build_model(arguments)
    strings, crystals = read_strings(crystals, string_options(arguments), arguments, problems)
    target = read_target(crystals.frame[arguments.target], arguments.classify)
    if not arguments.quiet:
        note(f"{len(strings)} crystals; {describe_target(target, arguments)}")
    estimator = model.steps[-1][1].fit(strings, target)
    summary = describe_fit(estimator)
    write_model(model, summary, len(strings), arguments)
    if not arguments.quiet:
        say("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in summary.items()))
        if estimator.validation_scores_:
            say(NOT_EXPECTED.format(table=arguments.table, target=arguments.target))
        say(f"model: {arguments.output}")


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
    """Return the unfitted pipeline."""
    from sklearn.pipeline import make_pipeline

    from .. import CloudClassifier, CloudRegressor, SymmetryStringTransformer
    from .messages import show_progress

    estimator = CloudClassifier if arguments.classify else CloudRegressor
    return make_pipeline(
        SymmetryStringTransformer(**string_options(arguments)),
        estimator(
            encoder_argument(arguments.encoder),
            max_epochs=arguments.epochs,
            batch_size=arguments.batch_size,
            learning_rate=arguments.learning_rate,
            patience=arguments.patience,
            device=arguments.device,
            random_state=arguments.seed,
            verbose=show_progress(arguments),
        ),
    )


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
    """Return the targets as an array."""
    import numpy as np
    import pandas as pd

    if not classify:
        return pd.to_numeric(column).to_numpy(dtype=float)
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


def describe_target(target, arguments):
    import numpy as np

    if not arguments.classify:
        return f"{arguments.target} from {target.min():g} to {target.max():g}"
    counts = zip(*np.unique(target, return_counts=True))
    return f"{arguments.target}: " + ", ".join(f"{count} x {label}" for label, count in counts)


def describe_fit(estimator):
    """Summarize the training in one line."""
    summary = {"epochs": estimator.n_iter_, "best_epoch": estimator.best_epoch_}
    if estimator.validation_scores_:
        best = min(estimator.validation_scores_)
        if hasattr(estimator, "classes_"):
            summary["lowest_validation_cross_entropy"] = round(best, 4)
        else:
            # the loss is the mean absolute error of the standardised target
            error = best * float(estimator.target_scale_[0])
            summary["lowest_validation_error"] = float(f"{error:.4g}")
    return summary


def write_model(model, summary, n_crystals, arguments):
    """Save the model in its folder."""
    from ..estimators.folders import save_model

    # Another machine may have another device, and `predict` decides about its progress bar.
    model.steps[-1][1].set_params(device=None, verbose=0)
    training = {"table": arguments.table.name, "crystals": n_crystals, **summary}
    save_model(model, arguments.output, target=arguments.target, training=training)
