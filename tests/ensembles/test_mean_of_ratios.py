"""Ratios of a target to first guesses of it."""

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import ExtraTreesRegressor

from sklearn_cloud.ensembles.mean_of_ratios import MeanOfRatios

X = np.column_stack([np.linspace(1, 3, 20), np.linspace(1, 3, 20) ** 2])


def test_mean_of_ratios():
    y = 2 * X[:, 1]
    flat = DummyRegressor()  # the mean
    np.testing.assert_allclose(MeanOfRatios(flat).fit(X, y).predict(X), y.mean())
    itself = 10 ** np.log10(y).mean()
    one = MeanOfRatios(flat, columns=[1]).fit(X, y)
    np.testing.assert_allclose(one.predict(X), (itself + y) / 2)
    both = MeanOfRatios(flat, columns=[1, 0]).fit(X, y)
    other = X[:, 0] * 10 ** np.log10(y / X[:, 0]).mean()
    np.testing.assert_allclose(both.predict(X), (itself + y + other) / 3)
    logarithm = MeanOfRatios(flat, columns=[1], scale="log10").fit(X, np.log10(y))
    np.testing.assert_allclose(logarithm.predict(X), (np.log10(itself) + np.log10(y)) / 2)


def test_targets_and_references_without_logarithm():
    flat = DummyRegressor()
    with pytest.raises(ValueError, match="needs targets above 0"):
        MeanOfRatios(flat, columns=[1]).fit(X, X[:, 0] - 2)
    MeanOfRatios(flat, columns=[1], scale="log10").fit(X, X[:, 0] - 2)
    with pytest.raises(ValueError, match="positive in none"):
        MeanOfRatios(flat, columns=[1]).fit(-X, X[:, 0])


def test_rows_without_reference():
    y = 2 * X[:, 1]
    missing = X.copy()
    missing[3, 1], missing[4, 1] = np.nan, 0.0
    trees = ExtraTreesRegressor(10, random_state=0)
    predicted = MeanOfRatios(trees, columns=[1]).fit(missing, y).predict(missing)
    np.testing.assert_allclose(predicted, y, rtol=1e-6)
    flat = MeanOfRatios(DummyRegressor(), columns=[1]).fit(missing, y)
    itself = 10 ** np.log10(y).mean()
    expected = [(itself + y[2]) / 2, itself, itself]
    np.testing.assert_allclose(flat.predict(missing)[[2, 3, 4]], expected)


def test_row_without_weight_teaches_nothing():
    weights, wrong = np.ones(20), 2 * X[:, 1]
    weights[10], wrong[10] = 0, 1e4
    trees = ExtraTreesRegressor(10, random_state=0)
    predicted = MeanOfRatios(trees, columns=[1]).fit(X, wrong, weights).predict(X)
    np.testing.assert_allclose(predicted, 2 * X[:, 1], rtol=0.05)
