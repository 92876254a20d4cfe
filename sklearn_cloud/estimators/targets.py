"""Targets of regression: checked, standardised, and put back into their units."""

import numpy as np

from .checks import check_targets
from .net import WeightedL1Loss


class StandardisedTargets:
    """Mixin of the regressors with a network: it learns standardised targets in L1 loss."""

    _criterion = WeightedL1Loss

    def _check_targets(self, y, n_rows):
        y = check_targets(y, n_rows, type(self).__name__)
        self._one_dimensional = y.ndim == 1
        y = y.reshape(n_rows, -1)
        self.n_outputs_ = y.shape[1]
        return y

    def _fit_targets(self, y, train):
        self.target_mean_ = y[train].mean(axis=0)
        scale = y[train].std(axis=0)
        # A constant target leaves rounding errors; dividing by them would blow up.
        constant = scale <= 1e-12 * np.abs(self.target_mean_)
        self.target_scale_ = np.where(constant, 1.0, scale)
        return ((y - self.target_mean_) / self.target_scale_).astype(np.float32)

    def _in_units(self, outputs):
        """Predictions in the units of ``y``, one-dimensional where ``y`` was."""
        predictions = outputs.astype(np.float64) * self.target_scale_ + self.target_mean_
        return predictions[:, 0] if self._one_dimensional else predictions

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
