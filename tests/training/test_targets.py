import numpy as np
import pytest
import torch

from sklearn_cloud.training.losses import MaskedL1Loss, WeightedL1Loss
from sklearn_cloud.training.targets import RegressionTargets


def test_gaps_are_left_out_of_the_statistics_and_of_the_loss():
    y = np.array([[1.0, np.nan], [3.0, 10.0], [5.0, 30.0]])
    targets = RegressionTargets()
    checked = targets.check(y, 3, "Model")
    assert targets.loss is MaskedL1Loss
    encoded = targets.fit(checked, np.arange(3))
    np.testing.assert_allclose(targets.mean, [3.0, 20.0])
    np.testing.assert_allclose(targets.scale, [np.std([1, 3, 5]), 10.0])
    weights = torch.tensor([1.0, 1.0, 2.0])
    loss = MaskedL1Loss()(torch.zeros(3, 2), (torch.tensor(encoded), weights))
    per_row = [abs(encoded[0, 0]), np.abs(encoded[1]).mean(), 2 * np.abs(encoded[2]).mean()]
    assert float(loss) == pytest.approx(np.mean(per_row))


def test_gradient_of_a_gap_is_zero():
    outputs = torch.zeros(2, 2, requires_grad=True)
    targets = torch.tensor([[1.0, float("nan")], [1.0, 2.0]])
    MaskedL1Loss()(outputs, (targets, torch.ones(2))).backward()
    assert outputs.grad[0, 1] == 0 and torch.isfinite(outputs.grad).all()


def test_without_gaps_both_losses_agree():
    rng = torch.Generator().manual_seed(0)
    outputs, targets, weights = (torch.rand(n, generator=rng) for n in ((5, 3), (5, 3), (5,)))
    pair = (targets, weights)
    assert float(MaskedL1Loss()(outputs, pair)) == pytest.approx(
        float(WeightedL1Loss()(outputs, pair))
    )


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
