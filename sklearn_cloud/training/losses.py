"""Losses of the networks, weighted by row."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy


class WeightedL1Loss(nn.Module):
    """Mean absolute error over the outputs, weighted by row."""

    def forward(self, outputs, targets_and_weights):
        targets, weights = targets_and_weights
        return ((outputs - targets).abs().mean(dim=1) * weights).mean()


class MaskedL1Loss(nn.Module):
    """Mean absolute error over the targets that are known: NaN is a target that is not."""

    def forward(self, outputs, targets_and_weights):
        targets, weights = targets_and_weights
        known = ~torch.isnan(targets)
        errors = (outputs - targets.nan_to_num()).abs() * known
        return (errors.sum(dim=1) / known.sum(dim=1) * weights).mean()


class WeightedCrossEntropy(nn.Module):
    """Cross-entropy of the classes' logits, weighted by row."""

    def forward(self, outputs, targets_and_weights):
        targets, weights = targets_and_weights
        return (cross_entropy(outputs, targets, reduction="none") * weights).mean()
