import pickle
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, PredefinedSplit, ShuffleSplit, cross_val_score
from sklearn.svm import SVR
from small_members import regression

from sklearn_cloud import CrystalRegressor, load_model, save_model
from sklearn_cloud.ensembles import cross_fitting, crystal_regressor
from sklearn_cloud.ensembles.members import Member, classification_members, regression_members
from sklearn_cloud.features import PotentialPhysics
from sklearn_cloud.graphs.graph_config import GraphConfig


@pytest.fixture(scope="module")
def fitted(table):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crystal_regressor, "regression_members", regression)
        crystals, _, y = table
        yield CrystalRegressor(cv=3, refit=False, random_state=0).fit(crystals, y)


def test_what_it_has_learned(fitted, table):
    crystals, _, y = table
    assert list(fitted.members_) == ["trees", "ridge", "CLOUD"]
    assert [len(models) for models in fitted.members_.values()] == [3, 3, 3]
    assert sum(fitted.weights_.values()) == pytest.approx(1)
    assert min(fitted.weights_.values()) >= 0
    assert fitted.expected_error_ < 0.8 * np.abs(y - np.median(y)).mean()
    assert fitted.expected_error_ <= 1.1 * min(fitted.member_errors_.values())
    assert fitted.expected_error_ == pytest.approx(np.abs(fitted.oof_predictions_ - y).mean())


def test_prediction_is_the_weighted_mean_over_folds(fitted, table):
    crystals = table[0][:7]
    tables = fitted._tables(crystals)
    expected = sum(
        fitted.weights_[name] * np.mean([m.predict(tables[view]) for m in models], axis=0)
        for (name, models), view in zip(
            fitted.members_.items(), ["features", "features", "strings"], strict=True
        )
    )
    np.testing.assert_allclose(fitted.predict(crystals), expected)
    order = [3, 1, 1, 0]
    np.testing.assert_allclose(fitted.predict(crystals[order]), expected[order])


def test_members_predict_on_their_own(fitted, table):
    crystals = table[0][:7]
    of_member = fitted.predict_members(crystals)
    assert list(of_member) == [name for name, weight in fitted.weights_.items() if weight]
    total = sum(fitted.weights_[name] * predicted for name, predicted in of_member.items())
    np.testing.assert_allclose(total, fitted.predict(crystals))


def test_intervals_cover(table):
    crystals, _, y = table
    rng = np.random.RandomState(0)
    covered, widths = [], {}
    for _ in range(3):
        rows = rng.permutation(len(y))
        train, test = rows[:70], rows[70:]
        model = CrystalRegressor("fast", cv=5, random_state=0).fit(crystals[train], y[train])
        lower, upper = model.predict_interval(crystals[test], coverage=0.8).T
        covered += list((lower <= y[test]) & (y[test] <= upper))
        for coverage in (0.5, 0.8, 0.9):
            bounds = model.predict_interval(crystals[test], coverage)
            widths.setdefault(coverage, []).append(np.diff(bounds).mean())
    assert 0.7 <= np.mean(covered) <= 0.95
    assert np.mean(widths[0.5]) < np.mean(widths[0.8]) < np.mean(widths[0.9])
    predictions, std = model.predict(crystals[test], return_std=True)
    np.testing.assert_allclose(predictions, model.predict(crystals[test]))
    assert (std > 0).all() and len(set(std.round(6))) > 10  # a width of its own for each crystal


def test_the_same_seed_gives_the_same_model(table):
    crystals, _, y = table
    model = CrystalRegressor("fast", cv=3, random_state=0)
    first, again, other = (
        clone(model).set_params(random_state=seed).fit(crystals, y).predict(crystals[:9])
        for seed in (0, 0, 1)
    )
    assert (first == again).all() and not (first == other).all()


def test_copies_predict_the_same(fitted, table, tmp_path):
    crystals = table[0][:9]
    expected = fitted.predict(crystals), fitted.predict_interval(crystals)
    copy = pickle.loads(pickle.dumps(fitted))
    save_model(fitted, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    for other in (copy, loaded):
        np.testing.assert_array_equal(other.predict(crystals), expected[0])
        np.testing.assert_array_equal(other.predict_interval(crystals), expected[1])
        np.testing.assert_allclose(other.applicability(crystals), fitted.applicability(crystals))
    assert loaded.weights_ == fitted.weights_


def test_compositions_alone(table):
    _, formulas, y = table
    model = CrystalRegressor(cv=3, random_state=0).fit(formulas, y)
    assert not model.reads_structures_
    assert model.predict(["NaCl", "GaAs"]).shape == (2,)
    with pytest.raises(ValueError, match="fitted on compositions, but X has structures"):
        model.predict(table[0][:2])


def test_strange_crystals_have_a_low_applicability(fitted, table):
    inside = fitted.applicability(table[0])
    strange = table[0][0].copy().replace_species({e: "Og" for e in table[0][0].symbol_set})
    assert fitted.applicability([strange])[0] < 0.1 < np.median(inside)
    assert ((inside >= 0) & (inside <= 1)).all()


def test_weights_of_rows(table):
    crystals, _, y = table
    weights = np.r_[np.ones(50), np.zeros(len(y) - 50)]
    y = np.r_[y[:50], np.full(len(y) - 50, 1e3)]
    model = CrystalRegressor("fast", cv=3, random_state=0)
    model.fit(crystals, y, sample_weight=weights)
    assert model.expected_error_ < 5
    # nothing is learned from rows of weight 0, intervals and applicability included
    assert np.isnan(model.oof_predictions_).tolist() == (weights == 0).tolist()
    assert len(model.scores_) == 50
    widths = np.diff(model.predict_interval(crystals))
    assert widths.max() < 50
    folds = KFold(3, shuffle=True, random_state=1).split(crystals)
    parts = [[part[part < 50] for part in parts] for parts in folds]
    alone, weighted = (
        CrystalRegressor("fast", cv=list(cv), random_state=0)
        for cv in (parts, KFold(3, shuffle=True, random_state=1).split(crystals))
    )
    alone.fit(crystals[:50], y[:50])
    weighted.fit(crystals, y, sample_weight=weights)
    assert weighted.predict(crystals).tolist() == alone.predict(crystals).tolist()
    assert weighted.applicability(crystals).tolist() == alone.applicability(crystals).tolist()


def test_global_settings_of_scikit_learn_change_nothing(table):
    crystals, _, y = table
    model = CrystalRegressor("fast", cv=3, random_state=0)
    weights = np.linspace(1, 2, len(y))
    plain = clone(model).fit(crystals, y, sample_weight=weights).predict_all(crystals)
    with config_context(transform_output="pandas", enable_metadata_routing=True):
        fitted = clone(model).fit(crystals, y, sample_weight=weights)
        found = fitted.predict_all(crystals)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in plain.items()
    }


def test_weights_reach_a_transformed_member_whatever_the_routing():
    rng = np.random.RandomState(0)
    table, y = rng.rand(30, 3), rng.rand(30)
    (svr,) = regression_members(
        "fast", y, members=["support vectors"], random_state=0, device=None, n_jobs=None
    )
    weights = np.r_[np.ones(20), np.zeros(10)]
    with config_context(enable_metadata_routing=True):
        fitted = cross_fitting._fit(svr.estimator, table, y, weights)
    expected = cross_fitting._fit(svr.estimator, table, y, weights).predict(table)
    assert fitted.predict(table).tolist() == expected.tolist()


def test_every_member_predicts_once(fitted, table, monkeypatch):
    calls = []

    def count(model, predict):
        monkeypatch.setattr(model, "predict", lambda rows: calls.append(model) or predict(rows))

    used = [m for name, ms in fitted.members_.items() if fitted.weights_[name] > 0 for m in ms]
    for model in used:
        count(model, model.predict)
    fitted.predict_all(table[0][:3])
    assert len(calls) == len(used)
    fitted.predict(table[0][:3], return_std=True)
    assert len(calls) == 2 * len(used)


def test_a_member_that_fails_is_left_out_and_named(table, monkeypatch):
    crystals, _, y = table

    def members(effort, y, **options):
        return [
            Member("broken", "features", SVR(C=-1.0)),
            *small(effort, y, **options),
        ]

    small = crystal_regressor.regression_members
    monkeypatch.setattr(crystal_regressor, "regression_members", members)
    with pytest.warns(UserWarning, match="'broken' was left out because it failed on fold 0"):
        model = CrystalRegressor("fast", cv=3, random_state=0).fit(crystals, y)
    assert list(model.members_) == ["trees", "ridge"]
    monkeypatch.setattr(
        crystal_regressor,
        "regression_members",
        lambda *a, **o: [Member("broken", "features", SVR(C=-1.0))],
    )
    with warnings.catch_warnings(), pytest.raises(ValueError, match="All members failed"):
        warnings.simplefilter("ignore")
        model.fit(crystals, y)


def test_ctrl_c_leaves_nothing_behind(table, monkeypatch):
    crystals, _, y = table
    model = CrystalRegressor("fast", cv=3, random_state=0).fit(crystals, y)

    class Interrupted(SVR):
        def fit(self, X, y):
            raise KeyboardInterrupt

    monkeypatch.setattr(
        crystal_regressor,
        "regression_members",
        lambda *a, **o: [Member("slow", "features", Interrupted())],
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(crystals, y)
    with pytest.raises(NotFittedError):
        model.predict(crystals)


def test_constant_target(table):
    crystals, _, y = table
    model = CrystalRegressor("fast", cv=3, random_state=0).fit(crystals, np.full(len(y), 2.5))
    np.testing.assert_allclose(model.predict(crystals[:5]), 2.5)
    assert model.expected_error_ == pytest.approx(0, abs=1e-9)


def test_in_cross_validation(table):
    crystals, _, y = table
    model = CrystalRegressor("fast", cv=2, random_state=0)
    scores = cross_val_score(model, list(crystals), y, cv=2, scoring="neg_mean_absolute_error")
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"effort": "most"}, ValueError, "effort"),
        ({"cv": 1}, ValueError, "cv"),
        ({"cv": 500}, ValueError, "n_samples=.* is fewer than the cv=500 folds"),
        ({"device": "abacus"}, ValueError, "abacus"),
    ],
)
def test_bad_parameters(table, change, kind, message):
    with pytest.raises(kind, match=message):
        CrystalRegressor("fast").set_params(**change).fit(table[0], table[2])


def test_bad_rows_and_targets(table, fitted):
    crystals, formulas, y = table
    model = CrystalRegressor("fast", cv=3)
    with pytest.raises(ValueError, match="1 of .* rows are compositions.*first row 0"):
        model.fit([formulas[0], *crystals[1:]], y)
    with pytest.raises(ValueError, match="y contains NaN in row 1"):
        model.fit(crystals, np.r_[1.0, np.nan, y[2:]])
    with pytest.raises(ValueError, match="could not convert"):
        model.fit(crystals, ["wide"] * len(y))
    with pytest.raises(
        ValueError, match="a single target, but y has 2 columns.*MultiOutputRegressor"
    ):
        model.fit(crystals, np.column_stack([y, y]))
    with pytest.raises(NotFittedError):
        model.predict(crystals)
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        fitted.predict_interval(crystals, coverage=1.0)
    with pytest.raises(ValueError, match="coverage=0.999 needs at least 999 training rows"):
        fitted.predict_interval(crystals, coverage=0.999)


@pytest.mark.parametrize("effort", ["fast", "default", "best"])
def test_real_members(effort):
    options = {"members": None, "random_state": 0, "device": "cpu", "n_jobs": None}
    names = [m.name for m in regression_members(effort, np.arange(1.0, 100), **options)]
    assert "extra-trees (log)" in names and "support vectors" in names
    assert ("CLOUD mini" in names, "CLOUD small" in names) == (effort != "fast", effort == "best")
    negative = [m.name for m in regression_members(effort, np.arange(-5.0, 5), **options)]
    assert not [name for name in negative if "log" in name]
    large = regression_members(effort, np.arange(1.0, 100_000), **options)
    assert not [m.name for m in large if "support" in m.name]
    gaps = np.r_[np.zeros(40), np.arange(1.0, 60)]
    boosting = [m.estimator for m in regression_members(effort, gaps, **options)][1]
    assert boosting.loss == "squared_error"
    epochs = {m.name: m.estimator.max_epochs for m in large if "CLOUD" in m.name}
    assert set(epochs.values()) <= {2}
    graphs = [m.estimator.max_epochs for m in large if m.name == "graph network"]
    assert graphs == {"fast": [], "default": ["auto"], "best": [10]}[effort]


def test_a_network_on_graphs_reads_the_crystals(table, monkeypatch, tmp_path):
    monkeypatch.setattr(crystal_regressor, "regression_members", with_graphs)
    crystals, formulas, y = table
    model = CrystalRegressor(
        members=["extra-trees", "graph network"], cv=2, refit=False, random_state=0
    )
    model.fit(crystals[:40], y[:40])
    assert model.view_of_member_["graph network"] == "crystals"
    model.weights_ = {"extra-trees": 0.5, "graph network": 0.5}
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(crystals), model.predict(crystals))
    with pytest.raises(ValueError, match="'graph network' needs structures"):
        model.fit(formulas, y)


def with_graphs(*arguments, **options):
    members = regression_members(*arguments, **options)
    small = {"network": GraphConfig(width=8, n_blocks=1, message_layers=1), "max_epochs": 2}
    for member in members:
        if member.name == "graph network":
            member.estimator.set_params(**small)
    return members


@pytest.mark.parametrize("make_members", [regression_members, classification_members])
def test_graphs_need_structures_and_are_not_fast(make_members):
    options = {"members": None, "random_state": 0, "device": None, "n_jobs": None}
    y = np.arange(1.0, 60.0)

    def names(effort, structures):
        return [m.name for m in make_members(effort, y, structures=structures, **options)]

    assert "graph network" in names("default", structures=True)
    assert "graph network" not in names("default", structures=False) + names(
        "fast", structures=True
    )


@pytest.mark.parametrize(
    "cv",
    [
        KFold(3, shuffle=True, random_state=np.random.RandomState(0)),
        ShuffleSplit(1, test_size=0.3, random_state=1),
        PredefinedSplit(np.arange(40) % 3),
    ],
)
def test_splitters_are_saved(cv, table, tmp_path):
    _, formulas, y = table
    model = CrystalRegressor("fast", cv=cv, random_state=0).fit(formulas[:40], y[:40])
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert repr(vars(loaded.cv).keys()) == repr(vars(cv).keys())
    np.testing.assert_array_equal(loaded.predict(formulas), model.predict(formulas))
    loaded.fit(formulas[:40], y[:40])


def test_folds_that_cannot_be_saved(table, tmp_path):
    _, formulas, y = table
    folds = KFold(3).split(formulas[:40])
    model = CrystalRegressor("fast", cv=folds, random_state=0).fit(formulas[:40], y[:40])
    with pytest.raises(TypeError, match=r"model\.cv=.* predictions do not need it: set .* to None"):
        save_model(model, tmp_path / "model")
    save_model(model.set_params(cv=None), tmp_path / "model")


def test_targets_that_are_too_large_are_named(table):
    _, formulas, y = table
    with pytest.raises(ValueError, match=r"Input y is 1e\+40 in row 2 .*use another unit"):
        CrystalRegressor("fast", cv=3).fit(formulas[:20], [*y[:2], 1e40, *y[3:20]])


class OddPhysics(TransformerMixin, BaseEstimator):
    """Gives one row too few."""

    def fit(self, X, y=None):
        return self

    def get_feature_names_out(self, input_features=None):
        return np.array(["number"], dtype=object)

    def transform(self, X):
        return np.zeros((len(X) - 1, 1))


@pytest.mark.parametrize(
    ("physics", "error", "message"),
    [
        ("chgnet", TypeError, "physics must be a PotentialPhysics, such as .* got 'chgnet'"),
        (PotentialPhysics, TypeError, "physics must be a PotentialPhysics"),
        (PotentialPhysics(properties=["mass"]), ValueError, "properties must be a list of some of"),
        (OddPhysics(), ValueError, r"OddPhysics gave an array of shape \(29, 1\) for 30 crystals"),
    ],
)
def test_physics_that_is_none(physics, error, message, table):
    crystals, _, y = table
    with pytest.raises(error, match=message):
        CrystalRegressor("fast", cv=3, physics=physics).fit(crystals[:30], y[:30])
