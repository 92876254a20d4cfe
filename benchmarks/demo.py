"""The main job: predict the band gap of crystals that the model has not seen.

    python benchmarks/demo.py

Cross-validates CLOUD on the example crystals (experimental band gaps, eV) beside a dummy and a
random forest on the composition, prints the table, and writes the predictions (CSV) and a parity
plot (PNG). Runs offline.
"""

import argparse
import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.datasets import load_example

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of a backend without a window


def models(seed, epochs):
    return {
        "dummy (median)": make_pipeline(ElementFractions(), DummyRegressor(strategy="median")),
        "random forest on composition": make_pipeline(
            ElementFractions(), RandomForestRegressor(300, random_state=seed, n_jobs=-1)
        ),
        "CLOUD": make_pipeline(
            SymmetryStringTransformer(),
            CloudRegressor(max_epochs=epochs, random_state=seed, verbose=1),
        ),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=50, help="epochs of CLOUD (default: 50)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for the results")
    arguments = parser.parse_args()

    example = load_example()
    folds = list(KFold(5, shuffle=True, random_state=arguments.seed).split(example.structures))
    table, predictions = [], example.frame[["formula", "prototype", "band_gap"]].copy()
    for name, model in models(arguments.seed, arguments.epochs).items():
        start = time.perf_counter()
        out_of_fold, errors = predict_out_of_fold(model, example, folds)
        table.append((name, np.mean(errors), np.std(errors), time.perf_counter() - start))
        predictions[name] = out_of_fold
    print(f"\nBand gap of {len(example.target)} crystals, 5-fold cross-validation, MAE in eV\n")
    for name, mean, deviation, seconds in table:
        print(f"  {name:30} {mean:6.3f} ± {deviation:.3f}   {seconds:6.1f} s")

    arguments.output.mkdir(parents=True, exist_ok=True)
    csv = arguments.output / "predictions.csv"
    predictions.to_csv(csv, index=False, float_format="%.3f")
    png = plot_parity(predictions, arguments.output / "parity.png")
    print(f"\nwritten: {csv}, {png}")


def predict_out_of_fold(model, example, folds):
    """Predictions of each crystal by the model that has not seen it, and the error per fold."""
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
    figure, axes = plt.subplots(figsize=(5, 5), layout="constrained")
    limits = [0, 1.05 * predictions["band_gap"].max()]
    axes.plot(limits, limits, color="0.6", linewidth=1, zorder=0)
    for name, color in (("random forest on composition", "C1"), ("CLOUD", "C0")):
        axes.scatter(
            predictions["band_gap"], predictions[name], s=14, alpha=0.7, c=color, label=name
        )
    axes.set(
        xlabel="experimental band gap (eV)",
        ylabel="predicted, out of fold (eV)",
        xlim=limits,
        ylim=limits,
        aspect="equal",
    )
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
    return path


if __name__ == "__main__":
    main()
