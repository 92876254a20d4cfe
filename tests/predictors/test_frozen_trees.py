import pickle

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from sklearn_cloud.predictors.frozen_trees import FrozenTrees, freeze_trees


@pytest.fixture
def table():
    rng = np.random.RandomState(0)
    X = rng.rand(300, 6)
    X[rng.rand(*X.shape) < 0.1] = np.nan
    return X, np.nansum(X[:, :3], axis=1) + rng.rand(300) / 10


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingRegressor(max_iter=30, loss="absolute_error"),
        HistGradientBoostingRegressor(max_iter=30, max_leaf_nodes=5),
        ExtraTreesRegressor(20, min_samples_leaf=3, random_state=0),
    ],
)
def test_predictions_are_those_of_the_trees(model, table):
    X, y = table
    model.fit(X[:200], y[:200])
    np.testing.assert_allclose(freeze_trees(model).predict(X), model.predict(X), rtol=1e-5)
    assert freeze_trees(model).predict(X[:0]).shape == (0,)


def test_probabilities_are_those_of_the_trees(table):
    X, y = table
    model = HistGradientBoostingClassifier(max_iter=30).fit(X, y > 1.5)
    np.testing.assert_allclose(
        freeze_trees(model).predict_proba(X), model.predict_proba(X), rtol=1e-4, atol=1e-6
    )
    with pytest.raises(ValueError, match="more than two classes"):
        freeze_trees(model.fit(X, np.arange(len(X)) % 3))


def test_categories_cannot_be_frozen(table):
    X, y = table
    X = np.column_stack([np.arange(len(X)) % 4, X])
    model = HistGradientBoostingRegressor(categorical_features=[0]).fit(X, X[:, 0] % 2 + y)
    with pytest.raises(ValueError, match="categorical"):
        freeze_trees(model)


def test_values_equal_to_a_threshold():
    """Composition features repeat exactly, and thresholds are among their values."""
    X = np.repeat(np.arange(1, 400)[:, None] / 7, 3, axis=0)
    y = np.sin(X[:, 0])
    model = HistGradientBoostingRegressor(max_iter=50).fit(X, y)
    thresholds = np.concatenate([p.nodes["num_threshold"] for (p,) in model._predictors])
    assert np.isin(thresholds, X).any()
    np.testing.assert_allclose(freeze_trees(model).predict(X), model.predict(X), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("right_", lambda values: values * 0 + 200),
        ("right_", lambda values: np.minimum(values, 1)),
        ("feature_", lambda values: values + 6),
        ("value_", lambda values: values[:-1]),
        ("first_nodes_", lambda values: values + 1),
        ("first_nodes_", lambda values: values * 0),
        ("missing_left_", lambda values: values[:1]),
    ],
)
def test_damaged_trees_are_refused(name, change, table):
    frozen = freeze_trees(HistGradientBoostingRegressor(max_iter=20).fit(*table))
    again = pickle.loads(pickle.dumps(frozen))
    np.testing.assert_array_equal(again.predict(table[0]), frozen.predict(table[0]))
    state = frozen.__getstate__()
    with pytest.raises(ValueError, match="damaged tree"):
        FrozenTrees().__setstate__({**state, name: change(state[name])})
    with pytest.raises(ValueError, match="expected 6 columns"):
        again.predict(table[0][:, :5])
