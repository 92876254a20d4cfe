"""Errors and coverage for elements that no training crystal has, next to those of known elements.

    python benchmarks/tables/unseen_elements.py --task phonons --rows 800 --elements 8

The recipe of the ready-made predictors with the member "boosting": intervals from out-of-fold
errors in units of an estimated difficulty. Each element is left out with all its crystals; the same
crystals are also predicted by five-fold cross-validation, where their elements are known. Writes
`benchmarks/results/unseen_elements.json`.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import KFold
from tqdm import tqdm

from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.ensembles.intervals import Difficulty, cv_plus
from sklearn_cloud.ensembles.members import regression_members
from sklearn_cloud.ensembles.views import compute_views, make_views, read_crystals
from sklearn_cloud.evaluation import LeaveOneElementOut

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is
from common import argument_parser, parse_arguments, script_provenance, write_json  # noqa: E402

COVERAGE = 0.9
LEAST_ROWS = 25  # of an element that is left out


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--task", default="phonons")
    parser.add_argument("--rows", type=int, default=800, help="drawn from the table")
    parser.add_argument("--elements", type=int, default=8, help="number left out, in turn")
    arguments = parse_arguments(parser)
    crystals, features, y = read_table(arguments)
    known = np.full((3, len(y)), np.nan)
    for train, test in KFold(5, shuffle=True, random_state=arguments.seed).split(y):
        known[:, test] = predict(features, y, train, test, arguments.seed)
    splitter = LeaveOneElementOut(min_test=LEAST_ROWS)
    folds = list(zip(splitter.left_out(crystals), splitter.split(crystals), strict=True))
    drawn = np.random.RandomState(arguments.seed).permutation(len(folds))[: arguments.elements]
    rows = []
    for place in tqdm(sorted(drawn)):
        element, (train, test) = folds[place]
        unseen = predict(features, y, train, test, arguments.seed)
        row = {"element": element, "rows": len(test), "known": summarize(y[test], known[:, test])}
        rows.append({**row, "unseen": summarize(y[test], unseen)})
        print(rows[-1], flush=True)
    summary = {kind: average(rows, kind) for kind in ("known", "unseen")}
    print(summary)
    content = {"task": arguments.task, "summary": summary, "elements": rows}
    print(write_json("unseen_elements", {**content, "provenance": script_provenance()}))


def read_table(arguments):
    """Return crystals, their features and targets of a random part of the table."""
    data = fetch_matbench(arguments.task, data_home=arguments.data_home, download=False)
    order = np.random.RandomState(arguments.seed).permutation(len(data.target))
    order = order[: arguments.rows]
    crystals, _ = read_crystals(data.structures[order], n_jobs=None, verbose=0)
    views = make_views(True, None, n_jobs=None, verbose=0)
    return crystals, compute_views(views, crystals, ("features",))["features"], data.target[order]


def predict(features, y, train, test, seed):
    """Return predictions and bounds of the interval of the test rows, shape (3, n_test)."""
    options = {"members": ["boosting"], "random_state": seed, "device": None, "n_jobs": None}
    (member,) = regression_members("fast", y[train], **options)
    inner = list(KFold(5, shuffle=True, random_state=seed).split(train))
    left_out = np.empty(len(train))
    for fit, rest in inner:
        model = clone(member.estimator).fit(features[train[fit]], y[train[fit]])
        left_out[rest] = model.predict(features[train[rest]])
    errors = np.abs(left_out - y[train])
    difficulty = Difficulty(seed)
    scores = errors / difficulty.fit_predict(with_mean(features[train], left_out), errors, inner)
    model = clone(member.estimator).fit(features[train], y[train])
    center = model.predict(features[test])
    expected = difficulty.predict(with_mean(features[test], center))
    lower, upper = cv_plus(center[:, None], expected, scores, None, COVERAGE).T
    return np.array([center, lower, upper])


def with_mean(features, predictions):
    return np.column_stack([features, predictions])


def summarize(y, found):
    center, lower, upper = found
    return {
        "mae": float(np.abs(center - y).mean()),
        "coverage": float(((lower <= y) & (y <= upper)).mean()),
        "width": float((upper - lower).mean()),
    }


def average(rows, kind):
    """Return the mean over the crystals that were left out."""
    weights = [row["rows"] for row in rows]
    return {
        key: float(np.average([row[kind][key] for row in rows], weights=weights))
        for key in rows[0][kind]
    }


if __name__ == "__main__":
    main()
