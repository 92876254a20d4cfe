"""The nested benchmark from end to end, with settings that are fast."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import KFold
from sklearn.utils import Bunch

optuna = pytest.importorskip("optuna", reason="needs sklearn-cloud[tuning]")

from sklearn_cloud.datasets import load_example  # noqa: E402
from sklearn_cloud.evaluation.results import read_result  # noqa: E402

SCRIPTS = Path(__file__).parents[2] / "benchmarks/tables"


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    script = importlib.import_module("tuning")
    crystals, gaps = load_example(return_X_y=True)
    folds = list(KFold(5).split(gaps[:40]))
    data = Bunch(structures=crystals[:40], target=gaps[:40], ids=list(range(40)), folds=folds)
    data.coverage = 1.0
    space = {"learning_rate": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True)}
    monkeypatch.setattr(script, "fetch_matbench", lambda *args, **options: data)
    monkeypatch.setitem(script.SPACES, "default", lambda: space)
    script.home = tmp_path
    return script


def run(script, monkeypatch, *extra):
    places = [f"--data-home={script.home}", f"--results={script.home}", "--name=toy"]
    small = ["--encoder=none", '--parameters={"max_epochs": 1}', "--inner=2", "--fits=1"]
    journal = f"--journal={script.home / 'studies'}"
    monkeypatch.setattr(sys, "argv", ["tuning.py", *places, *small, journal, *extra])
    script.main()
    return read_result(script.home / "tuning_jdft2d_toy.json")


def test_nested_scores(script, monkeypatch):
    seen = []
    tune = script.tune_pipeline

    def watched(model, strings, target, **options):
        seen.append(len(strings))
        return tune(model, strings, target, **options)

    monkeypatch.setattr(script, "tune_pipeline", watched)
    first = run(script, monkeypatch, "--folds", "1", "--trials=2")
    assert seen == [32]  # the training rows of the fold alone
    assert set(first.folds["1"]["scores"]) == {
        f"{score}_{model}" for score in ("mae", "rmse") for model in ("tuned", "default")
    }
    found = first.details["1"]
    assert found["inner_mae"] <= found["inner_mae_default"]
    assert found["trials"] == {"complete": 2} and set(found["parameters"]) == {"learning_rate"}
    assert np.isfinite(found["seconds"])
    # finished folds stay, and another budget is another result
    assert run(script, monkeypatch, "--folds", "1", "--trials=2") == first and len(seen) == 1
    with pytest.raises(ValueError, match="trials=2, now 3"):
        run(script, monkeypatch, "--folds", "1", "--trials=3")
