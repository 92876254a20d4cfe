"""Learning curves: the error of six models against the number of training rows.

    OMP_NUM_THREADS=1 python benchmarks/learning_curves.py

The crystals are training rows of the first official fold of five MatBench tables; its test rows are
never read. A random quarter of them, at most 500, is scored; nested random subsets of the others
are fitted. Up to 200 rows, three draws are fitted. The features of a table are computed once, and
their cost for each crystal is in the result file apart from the seconds of the fits.

Cheap cells run first, and each is written as soon as it is finished: the same command resumes.
`--minutes` ends a run after the cell in progress. Writes
`benchmarks/results/learning_curves.json`; `docs/make_learning_curves.py` draws it.
"""

import json
import sys
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from tqdm import tqdm

from sklearn_cloud import CloudRegressor, CrystalRegressor, GraphRegressor
from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.ensembles import crystal_estimator
from sklearn_cloud.ensembles.views import CRYSTALS, compute_views, make_views, read_crystals
from sklearn_cloud.features import MagpieFeatures

sys.path.append(str(Path(__file__).resolve().parent))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance, write_json

NAME = "learning_curves"
TASKS = ("jdft2d", "phonons", "dielectric", "log_gvrh", "perovskites")
STAGES = (20, 40, 120, 250, np.inf)  # guessed CPU seconds of a cell; all tables at each stage
SIZES = (50, 100, 200, 500, 1000, 2000, 5000, 10000)
MOST_SCORED = 500
REPEATED = 200  # up to so many rows, several draws are fitted
DRAWS = 3
DRAWN_FROM = 1000  # rows
N_MAGPIE = len(MagpieFeatures().get_feature_names_out())


class Model(NamedTuple):
    """Rows at most, and a guess of the CPU seconds (of a fit, and for each row)."""

    most_rows: int
    seconds: float
    seconds_per_row: float

    def cost(self, n_rows, draw):
        """Guess of the CPU seconds; later draws wait for the first of larger cells."""
        return (self.seconds + n_rows * self.seconds_per_row) * (10 if draw else 1)


MODELS = {
    "magpie-forest": Model(10000, 0.6, 0.01),
    "crystal-fast": Model(10000, 15, 0.05),
    "cloud": Model(2000, 3, 0.06),
    "cloud-bonds": Model(2000, 3, 0.06),
    "graph": Model(10000, 3, 0.07),
    "crystal-default": Model(1000, 80, 0.8),
}


class Table:
    """The rows of a task that are fitted or scored, with their features."""

    def __init__(self, task, data_home, most_rows):
        data = fetch_matbench(task, data_home=data_home, download=False)
        training = data.folds[0][0]
        n_scored = min(MOST_SCORED, len(training) // 4)
        order = np.random.RandomState(0).permutation(training)
        rows = order[: n_scored + most_rows]
        start = time.process_time()
        self.crystals, structures = read_crystals(
            [data.structures[row] for row in rows], n_jobs=1, verbose=0
        )
        views = make_views(structures, None, n_jobs=1, verbose=0)
        self.views = compute_views(views, self.crystals, ("strings", "features"))
        self.row_of = {crystal.key: row for row, crystal in enumerate(self.crystals)}
        self.y = data.target[rows]
        self.scored, self.pool = np.arange(n_scored), np.arange(n_scored, len(rows))
        median = np.median(self.y[self.pool])
        self.description = {
            "unit": data.unit,
            "target": data.target_name,
            "training_rows": len(training),
            "scored_rows": n_scored,
            "median_mae": float(np.abs(self.y[self.scored] - median).mean()),
            "feature_seconds_per_crystal": (time.process_time() - start) / len(rows),
        }

    def sizes(self):
        """Numbers of rows to fit; all rows of a small table are one of them."""
        sizes = {size for size in SIZES if size <= len(self.pool)}
        unscored = self.description["training_rows"] - self.description["scored_rows"]
        small = unscored < DRAWN_FROM and unscored == len(self.pool)
        return sorted(sizes | {unscored} if small else sizes)

    def subset(self, n_rows, draw):
        """Rows of one fit; those of a draw are nested."""
        if draw == 0:
            return self.pool[:n_rows]
        return np.random.RandomState(draw).permutation(self.pool[:DRAWN_FROM])[:n_rows]

    def computed_views(self, views, crystals, wanted):
        """What `compute_views` returns, from the table."""
        rows = [self.row_of[crystal.key] for crystal in crystals]
        return {name: self.views[name][rows] for name in {CRYSTALS, *wanted}}

    def items(self, rows):
        return [self.crystals[row] for row in rows]


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--most-rows", type=int, default=max(SIZES), help="of a fit")
    parser.add_argument("--minutes", type=float, default=np.inf, help="start no cell after these")
    arguments = parse_arguments(parser)
    path = RESULTS / f"{NAME}.json"
    old = json.loads(path.read_text()) if path.exists() else {"tables": {}, "cells": []}
    descriptions, cells, tables = old["tables"], old["cells"], {}
    end = time.monotonic() + 60 * arguments.minutes
    for stage in STAGES:
        for task in arguments.tasks:
            if task not in tables:
                tables[task] = Table(task, arguments.data_home, arguments.most_rows)
                descriptions[task] = tables[task].description
            wanted = missing(task, tables[task].sizes(), arguments.models, cells, stage)
            for model, n_rows, draw in tqdm(wanted, desc=f"{task}, < {stage} s", unit="cell"):
                if time.monotonic() > end:
                    return
                found = measure(tables[task], model, n_rows, draw)
                cells.append({"task": task, "model": model, "rows": n_rows, "draw": draw, **found})
                cells.sort(key=identity)
                content = {"tables": descriptions, "cells": cells}
                write_json(NAME, {**script_provenance(), **content})


def identity(cell):
    return [cell[name] for name in ("task", "model", "rows", "draw")]


def missing(task, sizes, models, cells, most_seconds):
    """Cells of a table that have no result and cost no more, the cheapest first."""
    done = {tuple(identity(cell)) for cell in cells}
    wanted = [
        (model, n_rows, draw)
        for model in models
        for n_rows in sizes
        for draw in range(DRAWS if n_rows <= REPEATED else 1)
        if n_rows <= MODELS[model].most_rows and (task, model, n_rows, draw) not in done
    ]
    cost = {cell: MODELS[cell[0]].cost(*cell[1:]) for cell in wanted}
    return sorted((cell for cell in wanted if cost[cell] <= most_seconds), key=cost.get)


def measure(table, model, n_rows, draw):
    """Error and CPU seconds of one fit."""
    train, y = table.subset(n_rows, draw), table.y[table.scored]
    start = time.process_time()
    if model.startswith("crystal"):
        found = fit_crystal(table, model.removeprefix("crystal-"), train, draw)
    else:
        found = {"predicted": fit_single(table, model, train, draw)}
    seconds = time.process_time() - start
    result = {"mae": float(np.abs(found["predicted"] - y).mean()), "cpu_seconds": seconds}
    if "lower" in found:
        covered = (found["lower"] <= y) & (y <= found["upper"])
        result |= {"coverage": float(covered.mean()), "expected_mae": found["expected"]}
    return result


def fit_crystal(table, effort, train, seed):
    """Predictions and 90 % intervals of the ensemble, which gets its features from the table."""
    model = CrystalRegressor(effort, random_state=seed, device="cpu")
    with mock.patch.object(crystal_estimator, "compute_views", table.computed_views):
        model.fit(table.items(train), table.y[train])
        found = model.predict_all(table.items(table.scored))
    return found | {"expected": model.expected_error_}


def fit_single(table, model, train, seed):
    """Predictions of a single model."""
    strings, features = table.views["strings"], table.views["features"]
    options = {"random_state": seed, "device": "cpu"}
    if model == "graph":
        fitted = GraphRegressor(**options).fit(table.items(train), table.y[train])
        return fitted.predict(table.items(table.scored))
    estimator, inputs = {
        "magpie-forest": (RandomForestRegressor(300, random_state=seed), features[:, :N_MAGPIE]),
        "cloud": (CloudRegressor(**options), strings[:, 0]),
        "cloud-bonds": (CloudRegressor(validation_fraction=0, **options), strings),
    }[model]
    return estimator.fit(inputs[train], table.y[train]).predict(inputs[table.scored])


if __name__ == "__main__":
    main()
