"""Print the table of the baselines in docs/measurements.md from the result files alone.

    python benchmarks/tables/baseline_table.py

Scores of the three tasks next to the published ones; bold is what lies more than two standard
deviations from the published score. Then what jdft2d costs: CPU seconds to fit and to predict 1,000
crystals, trained weights, peak memory of the process.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from sklearn_cloud.baselines.registry import MODELS
from sklearn_cloud.evaluation import published_scores
from sklearn_cloud.evaluation.markdown import render
from sklearn_cloud.evaluation.results import read_result, result_path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS

TASKS = {"jdft2d": ".1f", "phonons": ".1f", "dielectric": ".3f"}
#: Models that have tables of their own, and runs of a model with other settings.
LEFT_OUT = ("cloud", "dummy", "forest", "graph", "potential-energy")
VARIANTS = {"cgcnn": ("cgcnn-p", "CGCNNRegressor(perturbation=0.05)", None)}
#: Labels of models whose runs are older than their defaults, or shorter.
LABELS = {
    "megnet": "MEGNetRegressor(max_epochs=60)",
    "alignn": "ALIGNNRegressor(max_epochs=30)",
    "cogn": "CoGNRegressor(learning_rate=0.0005)",
    "crystograph": "CrysToGraphRegressor(learning_rate=0.0005, max_epochs=50)",
    "congn": "CoNGNRegressor(max_epochs=50)",
}
#: Settings that are said where a run has others than that of jdft2d.
SETTINGS = {
    "max_epochs": "{} epochs",
    "batch_size": "batches of {}",
    "precision": "{}",
    "learning_rate": "learning rate {}",
    "max_neighbors": "{} neighbours",
    "validation_fraction": "{:.0%} held out",
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    heads = ["", *(head for task in TASKS for head in (task, "published"))]
    heads += ["fit, s per 1,000", "predict, s per 1,000", "weights", "peak memory, MiB"]
    lines = []
    for name, label, system in list_systems():
        found = {task: read(arguments.results, task, name) for task in TASKS}
        if not any(found.values()):
            continue
        line = [f"`{label}`"]
        for task, form in TASKS.items():
            known = published(task, system)
            line += [score(found[task], form, found["jdft2d"], known), text(known, form)]
        lines.append([*line, *cost(found["jdft2d"])])
    print(render(heads, lines), end="")


def list_systems():
    """Name in the result files, class, name in the published tables: one row each."""
    for name, model in MODELS.items():
        if name not in LEFT_OUT:
            label = model.regressor if model.regressor[0].isupper() else name
            yield name, LABELS.get(name, label), model.published
        if name in VARIANTS:
            yield VARIANTS[name]


def published(task, system):
    """Published mean and deviation of a system; None where there is none."""
    rows = published_scores().query("task == @task and model == @system and metric == 'mae'")
    return None if rows.empty else rows[["value", "std"]].iloc[0].tolist()


def text(value, form):
    """Mean ± deviation; the deviation is not always published."""
    if value is None:
        return "–"
    mean, std = value
    return f"{mean:{form}}" if np.isnan(std) else f"{mean:{form}} ± {std:{form}}"


def read(folder, task, name):
    path = result_path(folder, "matbench", task, name)
    return read_result(path) if path.exists() else None


def score(result, form, reference, known=None):
    """Mean and deviation over the folds, and in what the run differs from the reference.

    Bold where the published score is more than two of its standard deviations away (of this
    run's, where it has none). The mean alone where folds are missing.
    """
    if result is None:
        return "–"
    mean, std = result.summary["mae"]["mean"], result.summary["mae"]["std"]
    notes = []
    complete = len(result.folds) == result.n_folds
    if not complete:
        notes.append(f"fold{'s' * (len(result.folds) > 1)} {', '.join(result.folds)} only")
    for name, form_of_note in SETTINGS.items():
        value = setting(result, name)
        if value != setting(reference, name):
            notes.append(form_of_note.format(value))
    cell = text((mean, std if complete else np.nan), form)
    if complete and known is not None:
        deviation = std if np.isnan(known[1]) else known[1]
        cell = f"**{cell}**" if abs(mean - known[0]) > 2 * deviation else cell
    return f"{cell} ({'; '.join(notes)})" if notes else cell


def setting(result, name):
    """A setting of a run; runs from before there was a precision are in float32."""
    return result.configuration.get(name, "fp32" if name == "precision" else None)


def cost(result):
    if result is None:
        return ["–"] * 4
    folds = list(result.folds.values())
    fit = np.mean([seconds_fit(fold) / fold["n_train"] for fold in folds])
    predict = np.mean([seconds_predict(fold) / fold["n_test"] for fold in folds])
    weights, memory = folds[0].get("n_parameters"), [fold["peak_memory_mib"] for fold in folds]
    counted = f"{weights:,}" if weights else "–"
    return [f"{1000 * fit:.0f}", f"{1000 * predict:.1f}", counted, str(max(memory))]


def seconds_fit(fold):
    return fold.get("cpu_seconds_fit", fold["seconds_fit"])


def seconds_predict(fold):
    return fold.get("cpu_seconds_predict", fold["seconds_predict"])


if __name__ == "__main__":
    main()
