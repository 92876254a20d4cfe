"""The scripts that make tables and figures of the result files in the repository."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks/tables"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module


def test_baseline_table(script, monkeypatch, capsys):
    table = script("baseline_table")
    monkeypatch.setattr(sys, "argv", ["baseline_table.py"])
    table.main()
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert 15 < len(rows) <= len(list(table.list_systems()))
    assert {row.count("|") for row in rows} == {head.count("|")}


def test_baseline_table_says_what_differs(script):
    table = script("baseline_table")
    summary = {"mae": {"mean": 2.0, "std": 0.5}}
    options = {"summary": summary, "n_folds": 2}
    whole = SimpleNamespace(folds={"0": {}, "1": {}}, configuration={}, **options)
    other = {"max_epochs": 3, "precision": "bf16"}
    short = SimpleNamespace(folds={"1": {}}, configuration=other, **options)
    assert table.score(whole, ".1f", whole) == "2.0 ± 0.5"
    assert table.score(short, ".1f", whole) == "2.0 (fold 1 only; 3 epochs; bf16)"
    assert table.score(None, ".1f", whole) == "–"


def test_baseline_table_marks_what_is_far_from_the_published_score(script):
    table = script("baseline_table")
    summary = {"mae": {"mean": 2.0, "std": 0.5}}
    run = SimpleNamespace(summary=summary, n_folds=1, folds={"0": {}}, configuration={})
    assert table.score(run, ".1f", run, (3.0, 0.6)) == "2.0 ± 0.5"
    assert table.score(run, ".1f", run, (3.0, 0.4)) == "**2.0 ± 0.5**"
    assert table.score(run, ".1f", run, (3.0, np.nan)) == "2.0 ± 0.5"
    assert table.score(run, ".1f", run, (3.1, np.nan)) == "**2.0 ± 0.5**"
    part = SimpleNamespace(summary=summary, n_folds=2, folds={"0": {}}, configuration={})
    assert table.score(part, ".1f", part, (9.0, 0.4)) == "2.0 (fold 0 only)"
    assert table.published("phonons", "Wrenformer")[0] == pytest.approx(92.3349)
    assert table.published("phonons", None) is None


def test_ablation_counts_the_folds_that_are_better(script):
    ablation = script("ablation")
    better, worse = np.array([1.0, 2.0]), np.array([1.5, 1.9])
    found = {(name, sites): better for name in ablation.PRETRAINING for sites in ablation.SITES}
    found["scratch", "set"] = worse
    row = ablation.table({"jdft2d": found}).splitlines()[-1]
    assert row == "| MLM + geometry | 1.50 ± 0.5 (1 of 2) | 1.50 ± 0.5 (0 of 2) |"
    assert len(ablation.draw({"jdft2d": found}).axes) == 1
