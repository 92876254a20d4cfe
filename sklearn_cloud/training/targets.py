"""What a network learns: targets checked, turned into numbers for the loss, and back.

Every kind of target is a class with the same interface, in the order in which `NetEstimator.fit`
calls it:

- ``check(y, n_rows, name)``: the targets as an array, or an error that names the row.
- ``weigh(y, weights)``: the weights of the rows, by their targets too.
- ``validation_rows(rows, y, n_valid, rng)``: which rows to hold out.
- ``fit(y, train)``: targets for the loss, with statistics of the training rows only.
- ``loss``: class of the loss; ``n_outputs``: outputs of the network.
- ``decode(outputs)``: outputs of the network as predictions.
"""

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from .checks import check_labels, check_targets, mean_one
from .losses import MaskedL1Loss, WeightedCrossEntropy, WeightedL1Loss


class RegressionTargets:
    """One or several numbers, standardised; NaN in one of several is a gap.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        Mean and standard deviation over the training rows that have a value; the scale of a
        constant target is 1.
    constant : ndarray of shape (n_outputs,), bool
        Targets that are constant over the training rows: the constant is predicted.
    one_dimensional : bool
        Whether ``y`` was, and predictions are.
    """

    loss = WeightedL1Loss

    def check(self, y, n_rows, name):
        y = check_targets(y, n_rows, name)
        self.one_dimensional = y.ndim == 1
        y = y.reshape(n_rows, -1)
        self.n_outputs = y.shape[1]
        if np.isnan(y).any():
            self.loss = MaskedL1Loss
        return y

    def weigh(self, y, weights):
        return weights

    def validation_rows(self, rows, y, n_valid, rng):
        return rng.permutation(rows)[:n_valid]

    def fit(self, y, train):
        known = y[train]
        gaps = np.flatnonzero(np.isnan(known).all(axis=0))
        if len(gaps):
            raise ValueError(f"Target {gaps[0]} of y has no value in the training rows.")
        self.mean, scale = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
        # A constant target leaves rounding errors; dividing by them would blow up.
        self.constant = scale <= 1e-12 * np.abs(self.mean)
        self.mean = np.where(self.constant, np.nanmax(known, axis=0), self.mean)
        self.scale = np.where(self.constant, 1.0, scale)
        return ((y - self.mean) / self.scale).astype(np.float32)

    def decode(self, outputs):
        scale = np.where(self.constant, 0.0, self.scale)
        predictions = outputs.astype(np.float64) * scale + self.mean
        return predictions[:, 0] if self.one_dimensional else predictions


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

    loss = WeightedCrossEntropy

    def __init__(self, class_weight=None):
        self.class_weight = class_weight

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
                f"class{zero}: {only!r}."
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
                f"validation_fraction takes {n_valid} of {len(rows)} rows, which leaves no row of "
                "some class for training: pass more rows, or validation_fraction=0."
            )
        return rows[np.argsort(places, kind="stable")[:n_valid]]

    def fit(self, y, train):
        return y

    def decode(self, outputs):
        """Probabilities of the classes, shape (n_rows, n_classes)."""
        logits = outputs.astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)
