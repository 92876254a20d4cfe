"""Print the table of the baselines in docs/measurements.md from the result files alone.

    python benchmarks/baseline_table.py

Scores of the three tasks beside the published one of jdft2d, and what a fold of jdft2d costs: CPU
seconds to fit, seconds to predict 1,000 crystals, trained weights, peak memory of the process.
"""

import argparse
from pathlib import Path

import numpy as np
from common import RESULTS

from sklearn_cloud.evaluation import published_scores
from sklearn_cloud.evaluation.results import read_result, result_path

TASKS = {"jdft2d": ".1f", "phonons": ".1f", "dielectric": ".3f"}
#: Name in the result files, class, name in the published tables.
SYSTEMS = (
    ("space-group-forest", "SpaceGroupForestRegressor", None),
    ("magpie-forest", "MagpieForestRegressor", "RF-SCM/Magpie"),
    ("voronoi-forest", "VoronoiForestRegressor", None),
    ("magpie-boosting", "MagpieBoostingRegressor", None),
    ("geometry-trees", "GeometryTreesRegressor", None),
    ("roost", "RoostRegressor", "Roost"),
    ("crabnet", "CrabNetRegressor", "CrabNet"),
    ("finder", "FinderRegressor", "Finder"),
    ("wrenformer", "WrenformerRegressor", "Wrenformer"),
    ("matinformer", "MatInFormerRegressor", "MatInFormer"),
    ("slices-bert", "SlicesBertRegressor", "SLICES-BERT"),
    ("cgcnn", "CGCNNRegressor", "CGCNN"),
    ("cgcnn-p", "CGCNNRegressor(perturbation=0.05)", None),
    ("megnet", "MEGNetRegressor", None),
    ("chgnet-trees", "PotentialFeatures('chgnet') + 300 extra-trees", None),
)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    heads = ["", "jdft2d", "published", "phonons", "dielectric (98 %)"]
    heads += ["fit, s", "predict, s per 1,000", "weights", "peak memory, MiB"]
    lines = [heads, ["---"] * len(heads)]
    published = published_scores().query("task == 'jdft2d'").set_index("model")["value"]
    for name, label, system in SYSTEMS:
        found = {task: read(arguments.results, task, name) for task in TASKS}
        scores = [score(found[task], form, found["jdft2d"]) for task, form in TASKS.items()]
        known = f"{published[system]:.1f}" if system in published else "–"
        lines.append([f"`{label}`", scores[0], known, *scores[1:], *cost(found["jdft2d"])])
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


def read(folder, task, name):
    path = result_path(folder, "matbench", task, name)
    return read_result(path) if path.exists() else None


def score(result, form, reference):
    """Mean and deviation over the folds; folds that lack and other epochs than there are said."""
    if result is None:
        return "not run"
    mae, notes = result["summary"]["mae"], []
    if len(result["folds"]) < result["n_folds"]:
        notes.append(f"folds {', '.join(result['folds'])}")
    epochs = result["configuration"].get("max_epochs")
    if epochs != reference["configuration"].get("max_epochs"):
        notes.append(f"{epochs} epochs")
    text = f"{mae['mean']:{form}} ± {mae['std']:{form}}"
    return f"{text} ({'; '.join(notes)})" if notes else text


def cost(result):
    folds = list(result["folds"].values())
    fit = np.mean([fold.get("cpu_seconds_fit", fold["seconds_fit"]) for fold in folds])
    predict = np.mean([seconds_predict(fold) / fold["n_test"] for fold in folds])
    weights, memory = folds[0].get("n_parameters"), [fold["peak_memory_mib"] for fold in folds]
    counted = f"{weights:,}" if weights else "–"
    return [f"{fit:.0f}", f"{1000 * predict:.1f}", counted, str(max(memory))]


def seconds_predict(fold):
    return fold.get("cpu_seconds_predict", fold["seconds_predict"])


if __name__ == "__main__":
    main()
