"""The registry of models, and what follows from a line in it."""

import importlib
import pkgutil
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.utils import Bunch

from sklearn_cloud import baselines, datasets
from sklearn_cloud.baselines import registry
from sklearn_cloud.baselines.registry import EXTRAS, KINDS, MODELS, READS, build_model, find_model
from sklearn_cloud.evaluation import published_scores, result_scores

CUBES = [Structure(Lattice.cubic(3 + k / 10), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for k in range(6)]


def test_lines_are_consistent():
    published = set(published_scores()["model"])
    for name, model in MODELS.items():
        assert name == model.name == name.lower()
        assert model.kind in KINDS and model.reads in READS
        assert model.extra in (None, *EXTRAS)
        assert model.published in (None, *published)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_there(name):
    assert callable(MODELS[name].load())
    if MODELS[name].classifier is None:
        with pytest.raises(ValueError, match=f"{name} predicts numbers"):
            MODELS[name].load(classification=True)
    else:
        assert callable(MODELS[name].load(classification=True))


def test_every_baseline_has_a_line():
    found = {}
    for module in pkgutil.iter_modules(baselines.__path__):
        home = f"sklearn_cloud.baselines.{module.name}"
        for name, thing in vars(importlib.import_module(home)).items():
            if isinstance(thing, type) and thing.__module__ == home and name.endswith("Regressor"):
                found[name] = thing
    bases = {base.__name__ for thing in found.values() for base in thing.__mro__[1:]}
    assert set(found) - bases == {model.regressor for model in MODELS.values()} & set(found)


def test_import_is_light():
    code = "import sys, sklearn_cloud.baselines.registry; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"torch", "sklearn", "numpy", "pymatgen"} & set(loaded.split())


@pytest.mark.parametrize(
    "text, name",
    [
        ("SpaceGroupForestRegressor", "space-group-forest"),
        ("SpaceGroupForest", "space-group-forest"),
        ("space-group-forest", "space-group-forest"),
        ("Roost", "roost"),
        ("chgnet", "chgnet-trees"),
        ("forest", "forest"),
    ],
)
def test_spellings_of_a_name(text, name):
    assert find_model(text).name == name


def test_unknown_model():
    with pytest.raises(ValueError, match="unknown model 'spacegroup': choose one of cloud, "):
        find_model("spacegroup")


def test_settings_are_what_changes_a_score():
    model, settings = build_model(
        "roost", parameters={"width": 8}, random_state=3, device="cpu", verbose=1
    )
    parameters = model.get_params()
    assert parameters["random_state"] == 3 and parameters["width"] == 8
    assert parameters["device"] == "cpu" and parameters["verbose"] == 1
    hidden = {"device", "verbose", "n_jobs"}
    expected = {name: value for name, value in parameters.items() if name not in hidden}
    assert settings == {"model": "RoostRegressor", **expected}


def test_settings_of_cloud():
    parameters = {"encoder": "none", "sites": "set", "learning_rate": 1e-3}
    model, settings = build_model("cloud", parameters=parameters, random_state=3)
    assert settings == {
        "model": "cloud",
        "encoder": "none",
        "sites": "set",
        "symprec": 0.1,
        "max_epochs": 50,
        "validation_fraction": 0.1,
        "random_state": 3,
        "learning_rate": 1e-3,
    }
    assert model[0].sites == "set" and model[1].encoder is None
    assert model[1].learning_rate == 1e-3
    model, settings = build_model("cloud-geometry")
    assert model[0].numbers == settings["numbers"] == "geometry"
    assert model[1].validation_fraction == settings["validation_fraction"] == 0
    model, settings = build_model("cloud", parameters={"members": 2})
    assert model[1].n_estimators == settings["members"] == 2


def test_ensemble_with_physics():
    parameters = {"physics": {"potential": "sevennet-0", "properties": ["phonons"]}, "cache": "c"}
    model, settings = build_model("crystal", parameters=parameters, n_jobs=2)
    physics = model.physics
    assert (physics.potential, physics.properties, physics.n_jobs) == ("sevennet-0", ["phonons"], 2)
    assert physics.cache == "c" and "cache" not in settings
    assert settings["physics"] == parameters["physics"]


@pytest.mark.parametrize("name", ["roost", "forest", "cloud"])
def test_parameter_that_a_model_lacks(name):
    with pytest.raises(ValueError, match="wings"):
        build_model(name, parameters={"wings": 2})


@pytest.mark.parametrize("potential", ["chgnet", "sevennet"])
def test_trees_on_the_features_of_a_potential(potential):
    model, settings = build_model(potential, random_state=3)
    assert model[0].potential == potential
    assert model[1].random_state == settings["random_state"] == 3
    assert model[1].n_estimators == settings["n_estimators"] == 300


@pytest.mark.parametrize("classification", [False, True])
@pytest.mark.parametrize("name", ["cloud", "dummy", "forest"])
def test_pipelines_predict(name, classification):
    quick = {"cloud": {"max_epochs": 1}, "forest": {"n_estimators": 3}}.get(name)
    model, _ = build_model(name, classification=classification, parameters=quick, device="cpu")
    target = np.arange(6) > 2 if classification else np.arange(6.0)
    assert clone(model).fit(CUBES, target).predict(CUBES).dtype == target.dtype


# What one file and one line do

MINE = '''
from sklearn.base import BaseEstimator, RegressorMixin

from ..crystals.reading import read_crystal


class MineRegressor(RegressorMixin, BaseEstimator):
    """Predicts the number of atoms.

    Examples
    --------
    >>> from sklearn_cloud.baselines import MineRegressor
    """

    def __init__(self, scale=1.0):
        self.scale = scale

    def fit(self, X, y):
        return self

    def predict(self, X):
        return [self.scale * len(crystal) for crystal in X]
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A model of one file in the folder of the baselines, and one line in the registry."""
    (tmp_path / "mine.py").write_text(MINE)
    line = registry.Model("mine", "MineRegressor", registry.STRUCTURES, registry.STRUCTURE)
    monkeypatch.setitem(MODELS, "mine", line)
    importlib.reload(baselines)  # which reads the registry
    baselines.__path__.append(str(tmp_path))
    yield baselines
    monkeypatch.undo()
    sys.modules.pop("sklearn_cloud.baselines.mine", None)
    importlib.reload(baselines)


def test_line_gives_a_name_of_the_package(mine):
    assert "MineRegressor" in mine.__all__
    assert mine.MineRegressor().fit(CUBES, [0.0] * 6).predict(CUBES[:1]) == [2.0]
    model, settings = build_model("Mine", parameters={"scale": 2.0}, random_state=0)
    assert settings == {"model": "MineRegressor", "scale": model.scale}


def test_line_is_under_contract(mine):
    contract = importlib.import_module("test_baseline_contract")
    assert "mine" in contract.registered()
    assert contract.build("mine").predict(CUBES[:1]) == [2.0]


def test_line_is_in_the_documentation(mine):
    settings = runpy.run_path(str(Path(__file__).parents[2] / "docs/conf.py"))
    text = settings["list_models"]()
    structure = text[text.index("The structure itself") :]
    assert "   MineRegressor\n" in structure and "   * - ``mine``" in structure
    assert all(f"``{name}``" in text for name in MODELS)


def test_line_is_in_info(mine, capsys):
    from sklearn_cloud.cli.info import list_models

    assert list_models()["mine"] == "Structure-based, reads the structure"


@pytest.fixture
def small_task(monkeypatch, tmp_path):
    """A table of cubes with two folds, in the place of every MatBench task."""
    structures = np.empty(len(CUBES), dtype=object)
    structures[:] = CUBES
    rows = np.arange(len(CUBES))
    data = Bunch(
        structures=structures,
        target=rows.astype(float),
        ids=rows.astype(str),
        folds=[(rows[3:], rows[:3]), (rows[:3], rows[3:])],
        coverage=1.0,
        task_type="regression",
        DESCR="cubes",
    )
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(datasets, "fetch_matbench", lambda *_, **__: data)


def test_line_is_on_the_command_line(mine, small_task, capsys):
    from sklearn_cloud.__main__ import main

    command = ["benchmark", "jdft2d", "--folds", "0", "--model", "mine"]
    assert main([*command, "--parameters", '{"scale": 0.5}']) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["0", "0.6667"]


@pytest.fixture
def scripts(monkeypatch):
    folder = Path(__file__).parents[2] / "benchmarks"
    if not folder.is_dir():
        pytest.skip("the benchmark scripts are not part of an installed package")
    monkeypatch.syspath_prepend(folder / "tables")
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module


def test_line_is_in_scripts_and_tables(mine, small_task, scripts, monkeypatch, tmp_path, capsys):
    script = scripts("run_matbench")
    monkeypatch.setattr(script, "fetch_matbench", datasets.fetch_matbench)
    command = ["run_matbench.py", "--name=mine", "--model=mine", "--folds", "0", "1"]
    monkeypatch.setattr(sys, "argv", [*command, f"--results={tmp_path}"])
    script.main()
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["baseline_table.py", f"--results={tmp_path}"])
    scripts("baseline_table").main()
    rows = {line.split("|")[1].strip(): line for line in capsys.readouterr().out.splitlines()}
    assert "| 1.5 ± 0.5 |" in rows["`MineRegressor`"]
    assert result_scores(tmp_path)["kind"].unique() == ["Structure-based"]
