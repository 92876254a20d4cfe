"""`sklearn-cloud predict`: predictions of a fitted model."""

from pathlib import Path

from .options import add_command, add_crystals, add_output

DESCRIPTION = """\
Predict with a model saved by `sklearn-cloud fit`. Crystals are converted to strings as in the fit.
A table keeps its columns; if they include the true values, the error is reported.

    sklearn-cloud predict gaps NaCl.cif                           on the screen
    sklearn-cloud predict gaps new_crystals/ -o predictions.csv   a folder with its subfolders
    sklearn-cloud predict gaps candidates.parquet -o predictions.parquet
"""


def add_parser(commands):
    parser = add_command(commands, "predict", run, "predict with a fitted model", DESCRIPTION)
    parser.add_argument("model", type=Path, help="folder written by `sklearn-cloud fit`")
    add_crystals(parser)
    add_output(parser, "output table", required=False)


def run(arguments):
    import pandas as pd

    from ..estimators.folders import load_model, read_description
    from .inputs import find_crystals, stream_strings
    from .messages import note, show_progress
    from .table_output import add_columns, check_output, open_table

    check_output(arguments)
    target = read_description(arguments.model)["target"]
    model = load_model(arguments.model)
    options, estimator = split_model(model, arguments.model)
    crystals = find_crystals(arguments, arguments.output)
    if "verbose" in estimator.get_params():
        estimator.set_params(verbose=show_progress(arguments))
    scored = []
    with open_table(arguments.output, crystals.frame) as append:
        for strings, part in stream_strings(crystals, options, arguments):
            predictions = predict(estimator, strings, target)
            table = add_columns(part.frame, predictions, crystals.source)
            append(table)
            scored.append(table.filter([target, f"predicted_{target}"]))
    if not arguments.quiet:
        scores = score(pd.concat(scored), target)
        for line in (scores, arguments.output and f"written: {arguments.output}"):
            if line:
                note(line)


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


def predict(estimator, strings, target):
    """Return columns of predictions; for a classifier, the label and all probabilities."""
    import numpy as np

    # with numbers next to them, strings are rows of a table
    strings = np.array(strings, dtype=object)
    if not hasattr(estimator, "classes_"):
        # the net computes in float32: further digits would be noise
        return {f"predicted_{target}": estimator.predict(strings).astype(np.float32)}
    probabilities = estimator.predict_proba(strings)
    columns = {f"predicted_{target}": estimator.classes_[probabilities.argmax(axis=1)]}
    for label, column in zip(estimator.classes_, probabilities.T):
        columns[f"probability_{label}"] = column.astype(np.float32)
    return columns


def score(table, target):
    """Describe the error of the predictions if the table has true values, else return None."""
    import pandas as pd

    if target not in table:
        return None
    known = table[table[target].notna()]
    predicted = known[f"predicted_{target}"]
    if pd.api.types.is_float_dtype(predicted):
        errors = (pd.to_numeric(known[target], errors="coerce") - predicted).abs().dropna()
        what, value, n_rows = "mean absolute error", errors.mean(), len(errors)
    else:
        right = known[target].astype(str) == predicted.astype(str)
        what, value, n_rows = "accuracy", right.mean(), len(right)
    if not n_rows:
        return None
    return (
        f"{what} on the {n_rows} rows with a {target}: {value:.4g} (not a test score if the model "
        f"was fitted on these rows)"
    )
