"""`sklearn-cloud demo`: cross-validated band gaps of the example crystals."""

import time
from pathlib import Path

from .options import add_command, whole_number

DESCRIPTION = """\
Cross-validate CLOUD on the example crystals of the package and their experimental band gaps (eV),
next to a median and a random forest on the composition. Prints the errors, and writes all
predictions (CSV) and a parity plot (PNG). Runs offline, in a few minutes.

    sklearn-cloud demo
    sklearn-cloud demo --epochs 5 --output quick
"""
N_FOLDS = 5
FOREST, CLOUD = "random forest on composition", "CLOUD"


def add_parser(commands):
    parser = add_command(commands, "demo", run, "cross-validate on example crystals", DESCRIPTION)
    parser.add_argument(
        "--epochs", type=whole_number, default=50, help="epochs of CLOUD (default: 50)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("demo"),
        metavar="FOLDER",
        help="folder for predictions.csv and parity.png (default: demo)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")


def run(arguments):
    import numpy as np
    from sklearn.model_selection import KFold

    from ..datasets import load_example
    from .messages import say
    from .outputs import check_file
    from .table_output import write_table

    require_matplotlib()
    csv, png = arguments.output / "predictions.csv", arguments.output / "parity.png"
    for path in (csv, png):
        check_file(path, arguments.overwrite)
    example = load_example()
    folds = list(KFold(N_FOLDS, shuffle=True, random_state=arguments.seed).split(example.target))
    table, predictions = [], example.frame[["formula", "prototype", "band_gap"]].copy()
    for name, model in build_models(arguments).items():
        start = time.perf_counter()
        out_of_fold, errors = predict_out_of_fold(model, example, folds)
        table.append((name, np.mean(errors), np.std(errors), time.perf_counter() - start))
        predictions[name] = out_of_fold.round(3)
    n_crystals = len(example.target)
    say(f"\nBand gap of {n_crystals} crystals, {N_FOLDS}-fold cross-validation, MAE in eV\n")
    for name, mean, deviation, seconds in table:
        say(f"  {name:30} {mean:6.3f} ± {deviation:.3f}   {seconds:6.1f} s")
    write_table(predictions, csv)
    plot_parity(predictions, png)
    say(f"\nwritten: {csv}, {png}")


def require_matplotlib():
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ImportError(
            "the parity plot needs matplotlib: pip install 'sklearn-cloud[plot]'"
        ) from None


def build_models(arguments):
    """Return the unfitted models by name."""
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import make_pipeline

    from .. import CloudRegressor, SymmetryStringTransformer
    from ..features import ElementFractions
    from .messages import show_progress

    seed, verbose = arguments.seed, show_progress(arguments)
    return {
        "dummy (median)": make_pipeline(ElementFractions(), DummyRegressor(strategy="median")),
        FOREST: make_pipeline(
            ElementFractions(), RandomForestRegressor(300, random_state=seed, n_jobs=-1)
        ),
        CLOUD: make_pipeline(
            SymmetryStringTransformer(),
            CloudRegressor(max_epochs=arguments.epochs, random_state=seed, verbose=verbose),
        ),
    }


def predict_out_of_fold(model, example, folds):
    """Return out-of-fold predictions of each crystal, and the error of each fold."""
    import numpy as np
    from sklearn.model_selection import cross_validate

    result = cross_validate(
        model,
        example.structures,
        example.target,
        cv=folds,
        scoring="neg_mean_absolute_error",
        return_estimator=True,
    )
    out_of_fold = np.empty(len(example.target))
    for fitted, (_, test) in zip(result["estimator"], folds, strict=True):
        out_of_fold[test] = fitted.predict(example.structures[test])
    return out_of_fold, -result["test_score"]


def plot_parity(predictions, path):
    from matplotlib.figure import Figure

    from ..files import atomic_write
    from ..plotting import ParityDisplay

    figure = Figure(figsize=(5.2, 6.5), layout="compressed")
    axes, errors = figure.subplots(2, height_ratios=(5, 1))
    for column, name in ((FOREST, "random forest"), (CLOUD, CLOUD)):
        ParityDisplay.from_predictions(
            predictions["band_gap"],
            predictions[column],
            name=name,
            target_name="band gap",
            unit="eV",
            ax=axes,
            histogram=errors,
        )
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")
