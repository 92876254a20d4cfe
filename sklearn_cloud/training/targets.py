"""What a network learns: targets checked, turned into numbers for the loss, and back.

Every kind of target is a class with the same interface, in the order in which `NetEstimator.fit`
calls it:

- ``check(y, n_rows, name)``: the targets as an array, or an error that names the row.
- ``weigh(y, weights)``: the weights of the rows, by their targets too.
- ``validation_rows(rows, y, n_valid, rng)``: which rows to hold out.
- ``fit(y, train)``: targets for the loss, with statistics of the training rows only.
- ``loss``: the loss, a module; ``n_outputs``: outputs of the network.
- ``decode(outputs)``: outputs of the network as predictions.
- ``check_state()``: an error where what was read from a file cannot be right.
"""

import numpy as np
import torch
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from torch import nn
from torch.nn.functional import cross_entropy

from ..exceptions import shorten
from .checks import check_labels, check_targets, mean_one


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


class RegressionTargets:
    """One or several numbers, standardised; NaN in one of several is a gap.

    Parameters
    ----------
    error : {"absolute", "squared", "quantile"}, default="absolute"
        What the network is trained on.
    quantile : float, default=0.5
        The quantile that is predicted with ``error="quantile"``.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        Mean and standard deviation over the training rows that have a value; the scale of a
        constant target is 1.
    constant : ndarray of shape (n_outputs,), bool
        Targets that are constant over the training rows: the constant is predicted.
    one_dimensional : bool
        Whether ``y`` was, and predictions are.
    gaps : bool
        Whether there are NaN.
    """

    def __init__(self, error="absolute", quantile=0.5):
        self.error, self.quantile = error, quantile

    @property
    def loss(self):
        return RegressionLoss(self.error, self.quantile, self.gaps)

    def check(self, y, n_rows, name):
        y = check_targets(y, n_rows, name)
        self.one_dimensional = y.ndim == 1
        y = y.reshape(n_rows, -1)
        self.n_outputs = y.shape[1]
        self.gaps = bool(np.isnan(y).any())
        return y

    def weigh(self, y, weights):
        return weights

    def validation_rows(self, rows, y, n_valid, rng):
        return rng.permutation(rows)[:n_valid]

    def fit(self, y, train):
        known = y[train]
        missing = np.flatnonzero(np.isnan(known).all(axis=0))
        if len(missing):
            raise ValueError(f"Target {missing[0]} of y has no value in the training rows.")
        # By a power of two, which is exact: squares of 1e-200 or 1e200 are not numbers.
        power = np.frexp(np.nanmax(np.abs(known), axis=0))[1]
        small = np.ldexp(known, -power)
        mean, scale = np.nanmean(small, axis=0), np.nanstd(small, axis=0)
        # A constant target leaves rounding errors; dividing by them would blow up.
        self.constant = scale <= 1e-12 * np.abs(mean)
        standardised = (np.ldexp(y, -power) - mean) / np.where(self.constant, 1.0, scale)
        self.mean = np.where(self.constant, np.nanmax(known, axis=0), np.ldexp(mean, power))
        self.scale = np.where(self.constant, 1.0, np.ldexp(scale, power))
        return np.where(self.constant, 0 * standardised, standardised).astype(np.float32)

    def decode(self, outputs):
        scale = np.where(self.constant, 0.0, self.scale)
        predictions = outputs.astype(np.float64) * scale + self.mean
        return predictions[:, 0] if self.one_dimensional else predictions

    def check_state(self):
        """Raise ValueError unless these are statistics that predictions can be made with."""
        shapes = {np.shape(one) for one in (self.mean, self.scale, self.constant)}
        if shapes != {(self.n_outputs,)}:
            raise ValueError("the scales of the targets do not match the shape of the targets")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.scale).all()):
            raise ValueError("the scales of the targets are infinite or NaN")
        if not (self.scale > 0).all():
            raise ValueError("a scale of the targets is not positive")


class ClassTargets:
    """Labels of classes.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weight of the rows of each class, as in scikit-learn.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    """

    def __init__(self, class_weight=None):
        self.class_weight = class_weight

    @property
    def loss(self):
        return WeightedCrossEntropy()

    @property
    def n_outputs(self):
        return len(self.classes)

    def check(self, y, n_rows, name):
        y = check_labels(y, n_rows, name)
        check_classification_targets(y)
        self.name = name
        self.classes, codes = np.unique(y, return_inverse=True)
        return codes

    def weigh(self, y, weights):
        present = np.unique(y[weights > 0])
        if len(present) < 2:
            only = self.classes[present[0]]
            zero = "" if len(self.classes) == 1 else " where sample_weight is above zero"
            raise ValueError(
                f"{self.name} needs samples of at least 2 classes, but the data contain only one "
                f"class{zero}: {shorten(repr(only))}."
            )
        if self.class_weight is None:
            return weights
        labels = self.classes[y[weights > 0]]
        of_class = compute_class_weight(self.class_weight, classes=self.classes[present], y=labels)
        factors = np.zeros(len(self.classes))
        factors[present] = of_class
        return mean_one(weights * factors[y], "class_weight")

    def validation_rows(self, rows, y, n_valid, rng):
        """Rows of every class in proportion; one of each class at least stays for training."""
        rows = rng.permutation(rows)
        codes, places = y[rows], np.empty(len(rows))
        for code in np.unique(codes):
            members = np.flatnonzero(codes == code)
            places[members] = (np.arange(len(members)) + 0.5) / len(members)
            places[members[-1]] = np.inf
        if n_valid > np.isfinite(places).sum():
            raise ValueError(
                f"validation_fraction takes {n_valid} of {len(rows)} rows, which leaves no "
                f"training rows of a class: pass more rows, or validation_fraction=0."
            )
        return rows[np.argsort(places, kind="stable")[:n_valid]]

    def fit(self, y, train):
        return y

    def decode(self, outputs):
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        logits = outputs.astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def check_state(self):
        """Raise ValueError unless there are classes to predict."""
        if np.ndim(self.classes) != 1 or len(np.unique(self.classes)) != len(self.classes):
            raise ValueError("the classes are not distinct labels")


#: Targets by name, for those who read and write them.
TARGETS = {kind.__name__: kind for kind in (RegressionTargets, ClassTargets)}
