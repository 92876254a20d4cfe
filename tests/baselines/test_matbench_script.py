"""`benchmarks/run_matbench.py` runs every baseline by its name."""

import argparse
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.utils import Bunch

from sklearn_cloud.baselines import registry
from sklearn_cloud.baselines.registry import MODELS
from sklearn_cloud.evaluation.predictions import predictions_path, read_predictions
from sklearn_cloud.evaluation.results import read_result

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def data_home(tmp_path, monkeypatch):
    """A data folder in which the predictions are kept."""
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path / "home"))


@pytest.fixture
def script(monkeypatch):
    if not SCRIPTS.is_dir():
        pytest.skip("the benchmark scripts are not part of an installed package")
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("run_matbench")


@pytest.fixture
def folds(script):
    return importlib.import_module("folds")


def test_name_of_a_model(folds):
    assert folds.model_name("SpaceGroupForest") == "space-group-forest"
    with pytest.raises(argparse.ArgumentTypeError, match="unknown model 'spacegroup'"):
        folds.model_name("spacegroup")


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_named(folds, name):
    parser = argparse.ArgumentParser()
    folds.add_arguments(parser)
    arguments = parser.parse_args(["--name=mine", f"--model={name}"])
    arguments.seed = 3
    _, settings = registry.build_model(arguments.model, **folds.model_options(arguments))
    assert settings.get("random_state", 3) == 3
    if name == "cloud":
        assert settings["encoder"] == "none" and settings["sites"] == "set"


def test_options_of_cloud_have_no_effect_on_others(script, monkeypatch, tmp_path):
    run(script, monkeypatch, tmp_path, "--folds", "0", "--encoder=mini", "--sites=orbits")
    configuration = read_result(tmp_path / "matbench_jdft2d_mine.json").configuration
    assert not {"encoder", "sites"} & set(configuration)


def table(task_type="regression"):
    structures = np.empty(10, dtype=object)
    for row in range(10):
        sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
        structures[row] = Structure(Lattice.cubic(3 + row / 10), ["Cs", "Cl"], sites)
    fold = np.arange(10) % 5
    return Bunch(
        structures=structures,
        target=np.arange(10.0),
        ids=np.array([f"mb-{row}" for row in range(10)]),
        coverage=1.0,
        task_type=task_type,
        folds=[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)],
    )


def run(script, monkeypatch, folder, *arguments, **options):
    monkeypatch.setattr(script, "fetch_matbench", lambda *_, **__: table(**options))
    command = ["run_matbench.py", f"--results={folder}", "--name=mine"]
    monkeypatch.setattr(sys, "argv", [*command, "--model=space-group-forest", *arguments])
    script.main()


def test_result_of_a_baseline(script, monkeypatch, tmp_path):
    parameters = json.dumps({"n_estimators": 3})
    run(script, monkeypatch, tmp_path, "--folds", "0", "2", "--parameters", parameters)
    result = read_result(tmp_path / "matbench_jdft2d_mine.json")
    assert result.kind == "Feature-based"
    assert result.configuration == {
        "model": "SpaceGroupForestRegressor",
        "n_estimators": 3,
        "random_state": 0,
        "symprec": 0.1,
    }
    assert set(result.folds) == {"0", "2"}
    for fold in result.folds.values():
        assert fold["peak_memory_mib"] > 10
        assert fold["cpu_seconds_fit"] > 0
        assert "n_parameters" not in fold  # a forest has none


def test_regressor_and_classes(script, monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="predicts numbers"):
        run(script, monkeypatch, tmp_path, task_type="classification")


def test_predictions_are_kept(script, monkeypatch, tmp_path):
    run(script, monkeypatch, tmp_path, "--folds", "3")
    result = read_result(tmp_path / "matbench_jdft2d_mine.json")
    ids, predictions = read_predictions(predictions_path(tmp_path / "home/predictions", result, 3))
    assert ids == ["mb-3", "mb-8"]
    mae = np.abs(np.subtract(predictions, [3.0, 8.0])).mean()
    assert result.folds["3"]["scores"]["mae"] == pytest.approx(mae)


def test_command_is_as_another_user_types_it(script, monkeypatch, tmp_path):
    run(script, monkeypatch, tmp_path, "--folds", "3")
    made = read_result(tmp_path / "matbench_jdft2d_mine.json").provenance
    assert made["command"].startswith("python benchmarks/run_matbench.py --results=")
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS / "tables/unconventional.py")])
    common = importlib.import_module("common")
    assert common.script_provenance()["command"] == "python benchmarks/tables/unconventional.py"


def test_unconventional_runs_the_same_folds(script, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(SCRIPTS / "tables")
    unconventional = importlib.import_module("unconventional")
    monkeypatch.setattr(unconventional, "fetch_unconventional", lambda *_, **__: table())
    command = ["unconventional.py", f"--results={tmp_path}", "--name=mine"]
    command += ["--tasks=supercon", "--model=dummy"]
    monkeypatch.setattr(sys, "argv", command)
    unconventional.main()
    result = read_result(tmp_path / "unconvbench_supercon_mine.json")
    assert set(result.folds) == set("01234")
    assert result.folds["0"]["scores"]["mae"] == pytest.approx(2.5)
