"""Losses of the networks, weighted by row."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy


class RegressionLoss(nn.Module):
    """Mean error over the outputs, weighted by row.

    Parameters
    ----------
    error : {"absolute", "squared", "quantile"}
        "quantile" is the pinball loss: the output comes to lie above a share ``quantile`` of the
        targets.
    quantile : float
    gaps : bool
        Whether targets may be NaN, which are left out of the mean; every row has one that is not.
    """

    def __init__(self, error, quantile, gaps):
        super().__init__()
        self.error, self.quantile, self.gaps = error, quantile, gaps

    def forward(self, outputs, targets_and_weights):
        targets, weights = targets_and_weights
        if not self.gaps:
            return (self._errors(outputs - targets).mean(dim=1) * weights).mean()
        known = ~torch.isnan(targets)
        errors = self._errors(outputs - targets.nan_to_num()) * known
        return (errors.sum(dim=1) / known.sum(dim=1) * weights).mean()

    def _errors(self, residuals):
        if self.error == "absolute":
            return residuals.abs()
        if self.error == "squared":
            return residuals.square()
        return torch.maximum((1 - self.quantile) * residuals, -self.quantile * residuals)


class WeightedCrossEntropy(nn.Module):
    """Cross-entropy of the classes' logits, weighted by row."""

    def forward(self, outputs, targets_and_weights):
        targets, weights = targets_and_weights
        return (cross_entropy(outputs, targets, reduction="none") * weights).mean()
