"""Members that learn the ratio to what a potential computed."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import ExtraTreesRegressor

from sklearn_cloud import CrystalRegressor, load_model, save_model
from sklearn_cloud.crystals.rows import read_rows
from sklearn_cloud.ensembles import crystal_regressor
from sklearn_cloud.ensembles.members import regression_members
from sklearn_cloud.ensembles.physics_ratios import PhysicsRatios
from sklearn_cloud.features import PotentialPhysics


@pytest.fixture
def computed():
    """Two features, a constant, a good reference with a factor that depends on the first, noise."""
    rng = np.random.RandomState(0)
    X = rng.uniform(1, 2, (80, 5))
    X[:, 2] = 1.0
    X[:, 3] = rng.uniform(100, 900, 80)
    return X, X[:, 3] * (1 + 0.1 * (X[:, 0] > 1.5))


def test_it_finds_the_reference(computed):
    X, y = computed
    model = PhysicsRatios(ExtraTreesRegressor(50, random_state=0), n_columns=3).fit(X[:60], y[:60])
    assert model.references_ == [-2]
    ratios = np.abs(model.model_.ratios_[0].predict(X[60:]) - np.log10(y[60:] / X[60:, 3]))
    assert ratios.mean() < 0.01
    trees = ExtraTreesRegressor(50, random_state=0).fit(X[:60], y[:60])
    errors = [np.abs(one.predict(X[60:]) - y[60:]).mean() for one in (model, trees)]
    assert errors[0] < errors[1]


def test_without_a_reference_it_is_fitted_to_the_target(computed):
    X, y = computed
    for change in (0.0, np.nan, -1.0):
        X = X.copy()
        X[:20, 3] = change  # missing in too many rows
        model = PhysicsRatios(DummyRegressor(), n_columns=3).fit(X, y)
        assert model.references_ == []
        assert model.predict(X) == pytest.approx(y.mean())
    near = PhysicsRatios(DummyRegressor(), n_columns=1).fit(computed[0], y)
    assert near.references_ == []


def test_a_row_without_the_reference(computed):
    X, y = computed
    model = PhysicsRatios(DummyRegressor(), n_columns=3).fit(X, y)
    X = X.copy()
    X[0, 3] = np.nan
    assert model.references_ == [-2] and np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("name", ["extra-trees (physics)", "boosting (physics)"])
@pytest.mark.parametrize(
    ("least", "n_physics", "message"),
    [(1.0, 0, "need physics=PotentialPhysics"), (-1.0, 3, "need positive targets")],
)
def test_what_the_members_need(name, least, n_physics, message):
    options = {"random_state": 0, "device": None, "n_jobs": None, "n_physics": n_physics}
    with pytest.raises(ValueError, match=message):
        regression_members("fast", np.array([least, 2.0]), members=[name], **options)


def stiffness(crystal):
    return 900 / abs(np.linalg.det(crystal.lattice))


def compute(physics, X, y=None):
    """Stands in for a potential: energy, force and pressure of each crystal."""
    return np.array([[-1.0, 0.0, stiffness(crystal)] for crystal in X])


def test_an_ensemble_with_physics(table, monkeypatch, tmp_path):
    crystals = table[0][:60]
    y = np.array([stiffness(crystal) for crystal in read_rows(crystals)])
    y *= 1 + 0.02 * np.random.RandomState(0).uniform(-1, 1, len(y))
    monkeypatch.setattr(PotentialPhysics, "fit_transform", compute)
    monkeypatch.setattr(crystal_regressor, "regression_members", regression_members)
    physics = PotentialPhysics(properties=["energy"])
    members = ["extra-trees", "extra-trees (physics)"]
    model = CrystalRegressor(members=members, cv=3, physics=physics, random_state=0)
    model.fit(crystals, y)
    assert model.weights_["extra-trees (physics)"] > 0.5
    errors = model.member_errors_
    assert errors["extra-trees (physics)"] < errors["extra-trees"]
    assert model.members_["extra-trees (physics)"][0].references_ == [-1]
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(crystals), model.predict(crystals))


@pytest.mark.parametrize("target", ["stiffness", "noise"])
def test_ratios_are_members_where_a_computed_number_is_like_the_target(table, monkeypatch, target):
    crystals = table[0][:40]
    y = np.array([stiffness(crystal) for crystal in read_rows(crystals)])
    if target == "noise":
        y = np.random.RandomState(0).uniform(1, 2, len(y))
    monkeypatch.setattr(PotentialPhysics, "fit_transform", compute)
    monkeypatch.setattr(crystal_regressor, "regression_members", regression_members)
    physics = PotentialPhysics(properties=["energy"])
    model = CrystalRegressor("fast", cv=2, physics=physics, random_state=0).fit(crystals, y)
    assert ("extra-trees (physics)" in model.weights_) == (target == "stiffness")
    chosen = CrystalRegressor(
        members=["boosting (physics)"], cv=2, physics=physics, random_state=0
    ).fit(crystals, y)
    assert list(chosen.weights_) == ["boosting (physics)"]  # asked for
