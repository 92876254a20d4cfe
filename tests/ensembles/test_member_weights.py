import numpy as np
import pytest
from scipy.optimize import minimize

from sklearn_cloud.ensembles.intervals import cv_plus
from sklearn_cloud.ensembles.member_weights import absolute_error_weights, log_loss_weights


def test_absolute_error_is_minimal():
    rng = np.random.RandomState(0)
    y = rng.normal(size=80)
    predictions = y[:, None] + rng.normal(size=(80, 3)) * [0.5, 1.0, 2.0]
    weights = absolute_error_weights(predictions, y, np.ones(80))

    def error(w):
        return np.abs(predictions @ (np.abs(w) / np.abs(w).sum()) - y).mean()

    others = [minimize(error, rng.rand(3), method="Nelder-Mead").fun for _ in range(5)]
    assert error(weights) <= min(others) + 1e-4
    assert weights.sum() == pytest.approx(1) and weights[0] > weights[1] > weights[2]


def test_rows_without_weight_do_not_count():
    y = np.r_[np.zeros(10), np.ones(10)]
    predictions = np.column_stack([np.zeros(20), np.ones(20)])
    first = absolute_error_weights(predictions, y, np.r_[np.ones(10), np.zeros(10)])
    np.testing.assert_allclose(first, [1, 0])


def test_a_large_offset_does_not_matter():
    """Without its centre, the linear programme has coefficients that differ in the ninth digit."""
    rng = np.random.RandomState(0)
    y = rng.normal(size=60)
    predictions = y[:, None] + rng.normal(size=(60, 2)) * [0.1, 1.0]
    expected = absolute_error_weights(predictions, y, np.ones(60))
    found = absolute_error_weights(1e9 + 1e-3 * predictions, 1e9 + 1e-3 * y, np.ones(60))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_log_loss_prefers_the_better_member():
    rng = np.random.RandomState(0)
    codes = rng.randint(2, size=200)
    good = np.where(codes == 1, 0.8, 0.2)
    probabilities = np.stack(
        [np.column_stack([1 - p, p]) for p in (good, np.full(200, 0.5), 1 - good)]
    )
    weights = log_loss_weights(probabilities, codes, np.ones(200))
    assert weights[0] > 0.95


@pytest.mark.parametrize(("coverage", "needed"), [(0.9, 9), (0.8, 4), (0.95, 19)])
def test_rows_that_a_coverage_needs(coverage, needed):
    def intervals(n_rows):
        scores = np.ones(n_rows)
        return cv_plus(np.zeros((2, 1)), np.ones(2), scores, np.zeros(n_rows, int), coverage)

    assert intervals(needed).tolist() == [[-1, 1]] * 2
    with pytest.raises(ValueError, match=f"needs at least {needed} training rows"):
        intervals(needed - 1)


@pytest.mark.parametrize("coverage", [0, 1, 2.0, -0.1])
def test_a_coverage_is_between_0_and_1(coverage):
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        cv_plus(np.zeros((2, 1)), np.ones(2), np.ones(9), np.zeros(9, int), coverage)


def test_cv_plus_is_that_of_the_paper():
    rng = np.random.RandomState(0)
    scores, folds = rng.rand(19), np.arange(19) % 3
    centers, difficulty = rng.rand(4, 3), rng.rand(4) + 0.5
    bounds = cv_plus(centers, difficulty, scores, folds, 0.9)
    for row in range(4):
        lower = np.sort(centers[row, folds] - difficulty[row] * scores)
        upper = np.sort(centers[row, folds] + difficulty[row] * scores)
        rank = int(np.ceil(20 * 0.9))
        assert bounds[row, 0] == lower[19 - rank] and bounds[row, 1] == upper[rank - 1]
