"""Base of the regressors with a network."""

from numbers import Real

from sklearn.base import RegressorMixin

from .._compat import Interval, StrOptions
from .estimator import NetEstimator
from .targets import RegressionTargets


class NetRegressor(RegressorMixin, NetEstimator):
    """Base of the regressors with a network: standardised targets."""

    loss: str = "absolute"
    quantile: float = 0.5

    _parameter_constraints = {
        "loss": [StrOptions({"absolute", "squared", "quantile"})],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }

    def _new_targets(self):
        return RegressionTargets(self.loss, float(self.quantile))

    @property
    def target_mean_(self):
        """Mean of the targets over the training rows."""
        return self.targets_.mean

    @property
    def target_scale_(self):
        """Their standard deviation."""
        return self.targets_.scale

    def predict(self, X):
        """Predict the targets.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            What the estimator reads, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the units of ``y``, one-dimensional where ``y`` was.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of ``X`` cannot be read; the message names it.
        """
        outputs = self._outputs(X)
        return self.targets_.decode(outputs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
