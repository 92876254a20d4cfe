"""Crystals as X, all the way through scikit-learn's own tools."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor, StackingRegressor, VotingRegressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.datasets import load_example
from sklearn_cloud.encoder import EncoderConfig


@pytest.fixture(scope="module")
def data():
    crystals, gaps = load_example(return_X_y=True)
    return crystals[:60], gaps[:60]


@pytest.fixture
def model():
    tiny = EncoderConfig(n_layers=1, n_heads=2, width=16)
    return make_pipeline(
        SymmetryStringTransformer(),
        CloudRegressor(tiny, max_epochs=2, learning_rate=1e-2, random_state=0),
    )


@pytest.fixture
def forest():
    return make_pipeline(ElementFractions(), RandomForestRegressor(10, random_state=0))


def as_list(crystals):
    return list(crystals)


def as_array(crystals):
    return crystals


def as_series(crystals):
    import pandas as pd

    return pd.Series(crystals, index=range(100, 100 + len(crystals)))


@pytest.mark.parametrize("container", [as_list, as_array, as_series])
def test_cross_validate_takes_any_container(container, model, data):
    crystals, gaps = data
    scores = cross_validate(model, container(crystals), gaps, cv=3)["test_score"]
    reference = cross_validate(model, crystals, gaps, cv=3)["test_score"]
    np.testing.assert_array_equal(scores, reference)


def test_processes_give_the_same_scores(model, data):
    one = cross_validate(model, *data, cv=2, n_jobs=1)["test_score"]
    two = cross_validate(model, *data, cv=2, n_jobs=2)["test_score"]
    np.testing.assert_allclose(one, two, rtol=1e-4)


def test_grid_search_over_strings_and_training(model, data):
    grid = {
        "symmetrystringtransformer__sites": ["set", "orbits"],
        "cloudregressor__max_epochs": [1, 2],
    }
    search = GridSearchCV(model, grid, cv=2, scoring="neg_mean_absolute_error").fit(*data)
    assert set(search.best_params_) == set(grid)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(data[0]).shape == (60,)


def test_transformed_target(model, data):
    crystals, gaps = data
    wrapped = TransformedTargetRegressor(model, func=np.log1p, inverse_func=np.expm1)
    predicted = wrapped.fit(crystals, gaps).predict(crystals)
    direct = clone(model).fit(crystals, np.log1p(gaps)).predict(crystals)
    np.testing.assert_allclose(predicted, np.expm1(direct), rtol=1e-6)


def test_voting_and_stacking_with_a_forest(model, forest, data):
    crystals, gaps = data
    members = [("cloud", model), ("forest", forest)]
    vote = VotingRegressor(members).fit(crystals, gaps)
    mean = np.mean([m.predict(crystals) for m in vote.estimators_], axis=0)
    np.testing.assert_allclose(vote.predict(crystals), mean)
    stack = StackingRegressor(members, cv=KFold(2)).fit(crystals, gaps)
    assert np.isfinite(stack.predict(crystals)).all()


def test_memory_keeps_the_strings(model, data, tmp_path):
    cached = clone(model).set_params(memory=joblib.Memory(tmp_path, verbose=0))
    np.testing.assert_array_equal(
        cached.fit(*data).predict(data[0]), clone(model).fit(*data).predict(data[0])
    )
    assert list(tmp_path.rglob("*.pkl"))


def test_fitted_pipeline_survives_pickle_and_joblib(model, data, tmp_path):
    crystals, gaps = data
    predicted = model.fit(crystals, gaps).predict(crystals)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(crystals), predicted)
    joblib.dump(model, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict(crystals), predicted)


def test_dummy_on_structures_needs_a_front_end(data):
    model = make_pipeline(ElementFractions(), DummyRegressor())
    assert cross_val_predict(model, *data, cv=3).shape == (60,)


def test_estimator_without_the_transformer_says_what_is_missing(data):
    with pytest.raises(TypeError, match="SymmetryStringTransformer"):
        CloudRegressor().fit(*data)


def test_skipped_rows_are_named_by_the_estimator(model, data):
    crystals, gaps = data
    broken = [*crystals[:10], None]
    model.set_params(symmetrystringtransformer__on_error="warn")
    with pytest.warns(UserWarning, match=r"rows \[10\]"), pytest.raises(TypeError, match="10"):
        model.fit(broken, [*gaps[:10], 1.0])
