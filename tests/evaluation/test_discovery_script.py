"""The discovery benchmark from end to end, on made-up crystals and with a model that is fast."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.utils import Bunch

from sklearn_cloud.evaluation.results import read_result

SCRIPTS = Path(__file__).parents[2] / "benchmarks/tables"
HALIDES = [(cation, anion) for cation in ("Na", "K") for anion in ("Cl", "Br", "I")]


class Text:
    """In place of SymmetryStringTransformer: the formula; None for what is not a crystal."""

    def fit_transform(self, crystals):
        return np.array([crystal.composition.reduced_formula for crystal in crystals], object)

    def set_params(self, **params):
        assert params == {"on_error": "warn"}
        return self

    def transform(self, crystals):
        return np.array([None if c == "bad" else c for c in crystals], dtype=object)


class Model:
    """Predicts the energy of the training phase, plus 0.01 eV/atom."""

    n_fits = 0

    def fit(self, strings, target):
        Model.n_fits += 1
        self.known = dict(zip(strings, target))

    def predict(self, strings):
        return np.array([self.known[string] + 0.01 for string in strings])


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    script = importlib.import_module("discovery")
    structures = np.empty(len(HALIDES), dtype=object)
    for row, (cation, anion) in enumerate(HALIDES):
        sites = [[0, 0, 0], [0.5, 0.5, 0.5]]
        structures[row] = Structure(Lattice.cubic(4), [cation, anion], sites)
    names = ["".join(pair) for pair in HALIDES]
    energies = -2 + 0.1 * np.arange(len(HALIDES))
    training = Bunch(structures=structures, target=energies, ids=np.array(names), coverage=1.0)
    # six phases again, three of them below the hull, and one that cannot be read
    wbm = Bunch(
        structures=np.array([*names, "bad"], dtype=object),
        compositions=np.array([*names, "NaCl"], dtype=object),
        target=np.array([*(energies + [-0.1, -0.1, -0.1, 0.2, 0.2, 0.2]), -1.0]),
        ids=np.array([f"wbm-{row}" for row in range(7)]),
        coverage=None,
        is_reconstruction=True,
    )
    monkeypatch.setattr(script, "fetch_matbench", lambda *args, **options: training)
    monkeypatch.setattr(script, "fetch_discovery", lambda *args, **options: wbm)
    monkeypatch.setattr(script, "pipeline", lambda arguments: (Model(), Text()))
    monkeypatch.setattr(Model, "n_fits", 0)
    script.wbm, script.home = wbm, tmp_path
    return script


def run(script, monkeypatch, *extra):
    results = script.home / "results"
    places = [f"--data-home={script.home}", f"--results={results}", "--name=toy"]
    monkeypatch.setattr(sys, "argv", ["discovery.py", *places, *extra])
    script.main()
    return read_result(results / "matbench_discovery_wbm_toy.json")


def test_reconstruction(script, monkeypatch):
    result = run(script, monkeypatch)
    scores = result.folds["0"]["scores"]
    # every prediction is 0.01 above the hull; a crystal that cannot be read is unstable too
    assert scores["tpr"] == 0.0 and scores["tnr"] == 1.0 and "precision" not in scores
    assert scores["mae"] == pytest.approx((3 * 0.11 + 3 * 0.19) / 6)
    details = result.details
    assert (details["n"], details["n_stable"], details["n_missing"]) == (7, 3, 1)
    assert details["thresholds"]["0.05"]["precision"] == 0.5
    assert result.coverage is None and result.rows == 7
    assert result.configuration["version"] == "reconstruction"


def test_finished_run_is_not_repeated_and_not_overwritten(script, monkeypatch):
    first = run(script, monkeypatch)
    assert run(script, monkeypatch) == first and Model.n_fits == 1
    with pytest.raises(ValueError, match="epochs=10, now 3"):
        run(script, monkeypatch, "--epochs=3")


def test_kept_predictions_serve_the_same_configuration_only(script, monkeypatch):
    keep = f"--predictions={script.home / 'kept'}"
    first = run(script, monkeypatch, keep)
    (script.home / "results/matbench_discovery_wbm_toy.json").unlink()
    again = run(script, monkeypatch, keep)
    assert Model.n_fits == 1
    assert again.summary == first.summary and again.details == first.details
    (script.home / "results/matbench_discovery_wbm_toy.json").unlink()
    run(script, monkeypatch, keep, "--epochs=3")
    assert Model.n_fits == 2


def test_official_labels_are_used_as_they_are(script, monkeypatch):
    distances = np.array([-0.3, 0.3, -0.2, 0.2, 0.1, 0.1, 0.4])
    prototypes = np.array([True, True, True, True, False, False, False])
    script.wbm.update(
        is_reconstruction=False,
        coverage=0.5,
        e_above_hull=distances,
        unique_prototype=prototypes,
    )
    result = run(script, monkeypatch, "--official")
    # the error of the energy moves the official distance: predictions are off by 0.11 and -0.19
    found = result.folds["0"]["scores"]
    assert found["mae"] == pytest.approx((3 * 0.11 + 0.19) / 4)
    assert result.details["n"] == 4 and result.coverage == 0.5


def test_subset_of_candidates_and_rows(script):
    assert script.choose(5, None, 0).tolist() == script.choose(5, 9, 0).tolist() == list(range(5))
    chosen = script.choose(100, 10, 0)
    assert len(set(chosen)) == 10 and (np.diff(chosen) > 0).all()
    assert (chosen != script.choose(100, 10, 1)).any()
