"""The figures of the benchmarks, from the results of a discovery run that is made up."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks/tables"


@pytest.fixture
def figures(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("figures")


def result(model, area):
    return SimpleNamespace(
        model=model,
        coverage=None,
        summary={"roc_auc": {"mean": area}},
        details={
            "roc": {"fpr": [0.0, 0.2, 1.0], "tpr": [0.0, area, 1.0]},
            "thresholds": {"-0.05": {"tpr": 0.5, "tnr": 0.9}, "0.0": {"tpr": 0.7, "tnr": 0.8}},
        },
    )


def test_roc_figure_has_a_curve_and_its_thresholds_for_each_model(figures, monkeypatch):
    found = [result("weak", 0.6), result("strong", 0.9)]
    monkeypatch.setattr(figures, "_discovery", lambda results: found)
    (axes,) = figures.roc_figure("results").axes
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[:2] == ["strong: AUC 0.900", "weak: AUC 0.600"]
    curves = [line.get_xydata().tolist() for line in axes.get_lines()]
    assert [[0.0, 0.0], [0.2, 0.9], [1.0, 1.0]] in curves
    points = np.array([curve[0] for curve in curves if len(curve) == 1])
    np.testing.assert_allclose(points, [[0.1, 0.5], [0.2, 0.7]] * 2)
    assert axes.get_title() == "WBM, reconstruction"


def test_no_roc_figure_without_results(figures, tmp_path):
    assert figures.roc_figure(tmp_path) is None


def test_single_folds_of_baselines_are_no_dots(figures, monkeypatch):
    columns = ["model", "kind", "task", "value", "note", "source"]
    paper = figures.published_scores()["source"].iloc[0]
    rows = [
        ("CLOUD", "Coordinate-free", "jdft2d", 35.0, "", paper),
        ("whole", "Feature-based", "jdft2d", 70.0, "98 % of rows", "this library"),
        ("part", "Feature-based", "jdft2d", 140.0, "fold 0 only", "this library"),
        ("cloud-mini", "Coordinate-free", "jdft2d", 17.5, "folds 0, 1 only", "this library"),
    ]
    frame = pd.DataFrame(rows, columns=columns)
    monkeypatch.setattr(figures, "scores_in_table", lambda *_: frame)
    (axes,) = figures.relative_figure("matbench", "results").axes
    dots = [x for drawn in axes.collections for x, _ in drawn.get_offsets().tolist()]
    assert sorted(dots) == [0.5, 1.0, 2.0]
