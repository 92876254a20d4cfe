"""Ready-made predictors on the command line."""

from pathlib import Path

from .messages import note, say


def is_model_folder(text):
    """Whether the text names a folder, and no property: a folder of the same name has a model."""
    from ..estimators.folder_files import MODEL_FILE, OLD_MARKER
    from ..predictors.derived import DERIVED
    from ..predictors.properties import PROPERTIES

    folder = Path(text)
    if any((folder / name).exists() for name in (MODEL_FILE, OLD_MARKER)):
        return True
    return folder.is_dir() and text not in (*PROPERTIES, *DERIVED)


def list_properties():
    """Print the properties with their units, errors and input."""
    from ..predictors.derived import DERIVED
    from ..predictors.loading import list_predictors, load_card

    names = list_predictors()
    if not names:
        say("there are no ready-made predictors in this installation")
        return
    rows = [("property", "unit", "error", "needs", "")]
    for name in names:
        card = load_card(name)
        rows.append((name, card["unit"], card.error, card["needs"], card["label"]))
    for name, derived in DERIVED.items():
        if set(derived.inputs) <= set(names):
            rows.append((name, derived.unit, "", "structure", derived.label))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for *cells, label in rows:
        say("  ".join([*(f"{cell:{w}}" for cell, w in zip(cells, widths, strict=True)), label]))


def run_predictors(arguments):
    """Predict properties and write a line for each crystal and property.

    Raises
    ------
    ValueError
        If a property is unknown, or crystals cannot be predicted.
    """
    from functools import partial

    from ..predictors.property_table import load_all
    from .inputs import find_crystals, stream
    from .table_output import open_table

    names = [name.strip() for name in arguments.model.split(",") if name.strip()]
    try:
        predictors = load_all(names, on_error="warn")
    except ValueError as error:
        if "," in arguments.model or not str(error).startswith("there is no predictor"):
            raise
        raise ValueError(f"there is no model folder {arguments.model!r}, and {error}") from None
    crystals = find_crystals(arguments, arguments.output)
    unlike = 0
    with open_table(arguments.output, crystals.frame) as append:
        for rows, part in stream(crystals, partial(check_crystals, predictors), arguments):
            table = predict_part(rows, part, names, predictors, arguments, crystals.source)
            unlike += int((table["warning"] != "").sum())
            append(table)
    if arguments.quiet:
        return
    if unlike:
        note(f"{unlike} predictions have a warning: do not rely on them")
    if arguments.output:
        note(f"written: {arguments.output}")


def check_crystals(predictors, crystals):
    """Return the crystals, or the error of those that a predictor cannot use."""
    from ..predictors.predictor_input import prepare

    checked = []
    for crystal in crystals:
        problems = [prepare(crystal, p.card["needs"], name) for name, p in predictors.items()]
        errors = [problem for problem in problems if isinstance(problem, Exception)]
        checked.append(errors[0] if errors else crystal)
    return checked


def predict_part(rows, part, names, predictors, arguments, source):
    """Return the lines of some crystals: the columns of their table, then the predictions."""
    from ..predictors.predictor_input import read_rows_of
    from ..predictors.property_table import tabulate
    from .table_output import add_columns

    found = tabulate(read_rows_of(rows), names, predictors, arguments.coverage or 0.9)
    for name in ("value", "lower", "upper", "applicability"):
        found[name] = found[name].astype("float32")  # further digits would be noise
    frame = part.frame.iloc[found.pop("row")].reset_index(drop=True)
    return add_columns(frame, dict(found), source)
