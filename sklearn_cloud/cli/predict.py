"""`sklearn-cloud predict`: predictions of a fitted model, or of ready-made predictors."""

from pathlib import Path

from .messages import UsageError
from .options import add_command, add_crystals, add_output

DESCRIPTION = """\
Predict properties with ready-made predictors (`--list` shows them). The output has a line for each
crystal and property, with an interval and a warning where the crystal is unlike those of the
training.

    sklearn-cloud predict --list
    sklearn-cloud predict bulk_modulus my_crystals/ -o moduli.csv
    sklearn-cloud predict bulk_modulus,shear_modulus,debye_temperature NaCl.cif

Or predict with a model saved by `sklearn-cloud fit`. A table keeps its columns; if they include the
true values, the error is reported. For `CrystalRegressor`, there are also the bounds of an interval
that contains the true value with the given coverage, and for it and `CrystalClassifier` the
applicability: below 0.05 a crystal is unlike the training crystals.

    sklearn-cloud predict gaps NaCl.cif                           on the screen
    sklearn-cloud predict gaps new_crystals/ -o predictions.csv   a folder with its subfolders
    sklearn-cloud predict gaps candidates.parquet -o predictions.parquet
"""
LOW_APPLICABILITY = 0.05


def add_parser(commands):
    parser = add_command(commands, "predict", run, "predict properties of crystals", DESCRIPTION)
    parser.add_argument(
        "model",
        nargs="?",
        help="folder written by `sklearn-cloud fit`, or names of properties, separated by commas",
    )
    add_crystals(parser, nargs="*")
    parser.add_argument("--list", action="store_true", help="list the properties, and stop")
    add_output(parser, "output table", required=False)
    parser.add_argument(
        "--coverage",
        type=share,
        metavar="SHARE",
        help="of the intervals (default: 0.9)",
    )


def share(text):
    """Return a number between 0 and 1."""
    number = float(text)
    if not 0 < number < 1:
        raise ValueError(text)
    return number


def run(arguments):
    from .ready_made import is_model_folder, list_properties, run_predictors
    from .table_output import check_output

    if arguments.list:
        list_properties()
        return
    if not arguments.crystals:
        raise UsageError("name a model or properties, then crystals; or use --list.")
    check_output(arguments)
    if is_model_folder(arguments.model):
        arguments.model = Path(arguments.model)
        run_model(arguments)
    else:
        run_predictors(arguments)


def run_model(arguments):
    """Predict with a model folder."""
    import pandas as pd

    from ..estimators.folders import load_model, read_description
    from .inputs import find_crystals, stream
    from .messages import note
    from .table_output import add_columns, open_table

    target = read_description(arguments.model)["target"]
    model = load_model(arguments.model)
    compute, predict = prepare(model, target, arguments)
    crystals = find_crystals(arguments, arguments.output)
    scored, unlike = [], 0
    with open_table(arguments.output, crystals.frame) as append:
        for rows, part in stream(crystals, compute, arguments):
            columns = predict(rows)
            table = add_columns(part.frame, columns, crystals.source)
            append(table)
            scored.append(table.filter([target, f"predicted_{target}"]))
            unlike += count_unlike(columns)
    if not arguments.quiet:
        for line in (
            score(pd.concat(scored), target, hasattr(model, "classes_")),
            unlike
            and f"{unlike} crystals are unlike the training crystals (applicability below "
            f"{LOW_APPLICABILITY}): do not rely on their predictions",
            arguments.output and f"written: {arguments.output}",
        ):
            if line:
                note(line)


def count_unlike(columns):
    """Return the number of crystals with a low applicability."""
    if "applicability" not in columns:
        return 0
    return int((columns["applicability"] < LOW_APPLICABILITY).sum())


def prepare(model, target, arguments):
    """Return what to compute of crystals, as for `inputs.stream`, and how to predict from it.

    Raises
    ------
    ValueError
        If the model is neither an ensemble nor a pipeline that starts with a
        `SymmetryStringTransformer`.
    UsageError
        If intervals are asked for, but the model has none.
    """
    from functools import partial

    from ..symmetry.strings import compose_strings
    from .messages import show_progress

    if arguments.coverage is not None and not hasattr(model, "predict_interval"):
        raise UsageError(f"--coverage: a {type(model).__name__} has no intervals.")
    if hasattr(model, "members_"):
        return list, partial(predict_ensemble, model, target, arguments.coverage or 0.9)
    options, estimator = split_model(model, arguments.model)
    if "verbose" in estimator.get_params():
        estimator.set_params(verbose=show_progress(arguments))
    return partial(compose_strings, **options), partial(predict_strings, estimator, target)


def split_model(model, folder):
    """Return the string options of a pipeline, and its estimator.

    Raises
    ------
    ValueError
        If its first step is not a `SymmetryStringTransformer`.
    """
    from sklearn.pipeline import Pipeline

    from ..symmetry.transformer import SymmetryStringTransformer

    if not isinstance(model, Pipeline) or type(model[0]) is not SymmetryStringTransformer:
        raise ValueError(
            f"the first step of the model in {folder} is not a SymmetryStringTransformer: use it "
            "in Python, with sklearn_cloud.load_model."
        )
    return model[0]._options(), model[1:] if len(model) > 2 else model[1]


def predict_strings(estimator, target, strings):
    """Return columns of predictions; for a classifier, the label and all probabilities."""
    import numpy as np

    # with numbers next to them, strings are rows of a table
    strings = np.array(strings, dtype=object)
    if not hasattr(estimator, "classes_"):
        # the net computes in float32: further digits would be noise
        return {f"predicted_{target}": estimator.predict(strings).astype(np.float32)}
    probabilities = estimator.predict_proba(strings)
    labels = estimator.classes_[probabilities.argmax(axis=1)]
    return {f"predicted_{target}": labels, **_probability_columns(estimator, probabilities)}


def predict_ensemble(model, target, coverage, crystals):
    """Return columns of predictions, interval or probabilities, and applicability."""
    import numpy as np

    if hasattr(model, "classes_"):
        found = model.predict_all(crystals)
        columns = {f"predicted_{target}": found["predicted"]}
        columns |= _probability_columns(model, found["probabilities"])
    else:
        found = model.predict_all(crystals, coverage)
        columns = {
            f"{name}_{target}": found[name].astype(np.float32)
            for name in ("predicted", "lower", "upper")
        }
    return {**columns, "applicability": found["applicability"].astype(np.float32)}


def _probability_columns(estimator, probabilities):
    return {
        f"probability_{label}": column.astype("float32")
        for label, column in zip(estimator.classes_, probabilities.T, strict=True)
    }


def score(table, target, classes):
    """Describe the error of the predictions if the table has true values, else return None.

    Parameters
    ----------
    table : pandas.DataFrame
        With the true and the predicted column.
    target : str
    classes : bool
        Whether the predictions are labels. Those of integers are equal to floats, which a column
        with gaps has, and to their text in CSV.
    """
    import pandas as pd

    if target not in table:
        return None
    known = table[table[target].notna()]
    predicted = known[f"predicted_{target}"]
    if not classes:
        errors = (pd.to_numeric(known[target], errors="coerce") - predicted).abs().dropna()
        what, value, n_rows = "mean absolute error", errors.mean(), len(errors)
    else:
        numbers = [pd.to_numeric(one, errors="coerce") for one in (known[target], predicted)]
        right = known[target].astype(str) == predicted.astype(str)
        right |= numbers[0] == numbers[1]
        what, value, n_rows = "accuracy", right.mean(), len(right)
    if not n_rows:
        return None
    return (
        f"{what} on the {n_rows} rows with a {target}: {value:.4g} (not a test score if the model "
        f"was fitted on these rows)"
    )
