import numpy as np
import pytest
import torch

from sklearn_cloud.training.targets import RegressionLoss, RegressionTargets


def test_gaps_are_left_out_of_the_statistics_and_of_the_loss():
    y = np.array([[1.0, np.nan], [3.0, 10.0], [5.0, 30.0]])
    targets = RegressionTargets()
    checked = targets.check(y, 3, "Model")
    assert targets.gaps and targets.loss.gaps
    encoded = targets.fit(checked, np.arange(3))
    np.testing.assert_allclose(targets.mean, [3.0, 20.0])
    np.testing.assert_allclose(targets.scale, [np.std([1, 3, 5]), 10.0])
    weights = torch.tensor([1.0, 1.0, 2.0])
    loss = targets.loss(torch.zeros(3, 2), (torch.tensor(encoded), weights))
    per_row = [abs(encoded[0, 0]), np.abs(encoded[1]).mean(), 2 * np.abs(encoded[2]).mean()]
    assert float(loss) == pytest.approx(np.mean(per_row))


ERRORS = ["absolute", "squared", "quantile"]


def masked(error):
    return RegressionLoss(error, 0.9, gaps=True)


@pytest.mark.parametrize("error", ERRORS)
def test_gradient_of_a_gap_is_zero(error):
    outputs = torch.zeros(2, 2, requires_grad=True)
    targets = torch.tensor([[1.0, float("nan")], [1.0, 2.0]])
    masked(error)(outputs, (targets, torch.ones(2))).backward()
    assert outputs.grad[0, 1] == 0 and torch.isfinite(outputs.grad).all()


@pytest.mark.parametrize("error", ERRORS)
def test_without_gaps_both_losses_agree(error):
    rng = torch.Generator().manual_seed(0)
    outputs, targets, weights = (torch.rand(n, generator=rng) for n in ((5, 3), (5, 3), (5,)))
    pair = (targets, weights)
    whole = RegressionLoss(error, 0.9, gaps=False)
    assert float(masked(error)(outputs, pair)) == pytest.approx(float(whole(outputs, pair)))


def test_constant_targets_are_given_back_exactly():
    y = np.column_stack([np.full(70, 0.1), np.arange(70.0)])
    targets = RegressionTargets()
    targets.fit(targets.check(y, 70, "Model"), np.arange(70))
    decoded = targets.decode(np.random.RandomState(0).normal(size=(5, 2)).astype(np.float32))
    assert (decoded[:, 0] == 0.1).all() and len(set(decoded[:, 1])) == 5


def test_a_target_without_any_value():
    targets = RegressionTargets()
    y = targets.check(np.array([[1.0, np.nan], [2.0, np.nan], [3.0, 1.0]]), 3, "Model")
    with pytest.raises(ValueError, match="Target 1 of y has no value in the training rows"):
        targets.fit(y, np.arange(2))


@pytest.mark.parametrize("error", ERRORS)
def test_losses_are_those_of_scikit_learn(error):
    from sklearn import metrics

    rng = np.random.RandomState(0)
    outputs, targets, weights = rng.normal(size=(9, 2)), rng.normal(size=(9, 2)), rng.rand(9)
    score = {
        "absolute": metrics.mean_absolute_error,
        "squared": metrics.mean_squared_error,
        "quantile": lambda *a, **k: metrics.mean_pinball_loss(*a, alpha=0.9, **k),
    }[error]
    expected = score(targets, outputs, sample_weight=weights) * weights.mean()
    loss = RegressionLoss(error, 0.9, gaps=False)
    found = loss(torch.tensor(outputs), (torch.tensor(targets), torch.tensor(weights)))
    assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-12, 1e-3, 1.0, 1e12, 1e150, 1e300])
def test_targets_of_any_size_are_scaled(size):
    """As the same numbers around 1 are, to rounding."""
    y = np.array([1.0, 2.0, 4.0, 4.5])
    plain, targets = RegressionTargets(), RegressionTargets()
    expected = plain.fit(plain.check(y, 4, "Model"), np.arange(4))
    encoded = targets.fit(targets.check(size * y, 4, "Model"), np.arange(4))
    np.testing.assert_allclose(encoded, expected, rtol=1e-6)
    np.testing.assert_allclose(targets.decode(encoded), size * y, rtol=1e-6)
    targets.check_state()


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-300, 1e300, 7])
def test_constants_of_any_size(value):
    targets = RegressionTargets()
    encoded = targets.fit(targets.check(np.full(70, value), 70, "Model"), np.arange(70))
    assert (encoded == 0).all()
    assert (targets.decode(np.full((3, 1), 5, dtype=np.float32)) == value).all()
    targets.check_state()


def test_a_long_target_is_not_repeated():
    with pytest.raises(ValueError, match="could not convert string to float") as caught:
        RegressionTargets().check(["x" * 100_000, "y"], 2, "Model")
    assert len(str(caught.value)) <= 300
