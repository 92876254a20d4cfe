"""The learning curves: what they fit and in which order, and the tables of their page."""

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def curves(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("learning_curves")


def test_subsets_of_a_draw_are_nested_and_never_scored(curves):
    table = object.__new__(curves.Table)
    table.scored, table.pool = np.arange(20), np.arange(20, 320)
    for draw in range(3):
        small, large = table.subset(50, draw), table.subset(200, draw)
        assert set(small) < set(large) and len(set(large)) == 200
        assert not set(large) & set(table.scored)
    assert set(table.subset(50, 0)) != set(table.subset(50, 1))


def test_all_rows_of_a_small_table_are_a_size(curves):
    table = object.__new__(curves.Table)
    table.pool = np.arange(381)
    table.description = {"training_rows": 508, "scored_rows": 127}
    assert table.sizes() == [50, 100, 200, 381]
    table.description["training_rows"] = 3000  # only some of them were read
    assert table.sizes() == [50, 100, 200]


def test_finished_cells_are_not_repeated_and_cheap_ones_come_first(curves):
    models = ["crystal-fast", "magpie-forest"]
    done = [{"task": "jdft2d", "model": "magpie-forest", "rows": 50, "draw": 0}]
    cells = curves.missing("jdft2d", [50, 100], models, done, np.inf)
    assert ("magpie-forest", 50, 0) not in cells and ("magpie-forest", 50, 1) in cells
    assert cells[0] == ("magpie-forest", 100, 0)
    assert len(cells) == 11
    cheap = curves.missing("jdft2d", [50, 100], models, done, 5)
    assert cheap == [("magpie-forest", 100, 0)]


def test_the_tables_of_the_page_have_a_dash_where_nothing_was_measured():
    pytest.importorskip("matplotlib")
    path = ROOT / "docs/make_learning_curves.py"
    spec = importlib.util.spec_from_file_location("make_learning_curves", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    common = {"task": "jdft2d", "rows": 50}
    cells = [
        {**common, "model": "cloud", "draw": 0, "mae": 50.0, "cpu_seconds": 3.0},
        {**common, "model": "cloud", "draw": 1, "mae": 60.0, "cpu_seconds": 5.0},
        {**common, "rows": 100, "model": "graph", "draw": 0, "mae": 40.0, "cpu_seconds": 9.0},
    ]
    tables = {"jdft2d": {"unit": "meV/atom", "scored_rows": 127, "median_mae": 57.4}}
    text = script.write_tables(tables, script.mean_over_draws(cells))
    assert "jdft2d (meV/atom), 127 crystals scored; the median has 57.4" in text
    assert "- 55.0* (4 s)" in text and text.count("- –") == 2
    assert "Magpie forest" not in text  # no column without a value
