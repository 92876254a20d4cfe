"""Regression of the logarithm of a target, and of its ratios to first guesses of it."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone


class MeanOfRatios(RegressorMixin, BaseEstimator):
    """Mean of a regressor fitted to logarithms of the target and of its ratios to some columns.

    A ratio is left out in rows where its column is not positive. Without any columns, the
    regressor is fitted to the target as it is.

    Parameters
    ----------
    estimator : regressor
        Cloned for each column.
    columns : sequence of int, default=()
        Which columns of `X`.
    scale : {"linear", "log10"}, default="linear"
        Whether the target is a logarithm already.

    Attributes
    ----------
    itself_ : regressor
        Fitted to the target, or its logarithm where there are columns.
    ratios_ : list of regressor
        Fitted to the logarithm of the ratio to each column.
    """

    def __init__(self, estimator, *, columns=(), scale="linear"):
        self.estimator = estimator
        self.columns = columns
        self.scale = scale

    def fit(self, X, y, sample_weight=None):
        """Fit the regressor to the target and to each ratio.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there are columns and a target is not positive, or a column is positive nowhere.
        """
        logarithms = self._logarithms(y) if len(self.columns) else y
        self.itself_ = clone(self.estimator).fit(X, logarithms, sample_weight)
        self.ratios_ = []
        for column in self.columns:
            references = _logarithm(X[:, column])
            rows = np.isfinite(references)
            if not rows.any():
                raise ValueError("a reference is positive in none of the training rows")
            weights = None if sample_weight is None else sample_weight[rows]
            ratio = clone(self.estimator)
            self.ratios_.append(ratio.fit(X[rows], (logarithms - references)[rows], weights))
        return self

    def predict(self, X):
        """Mean over the target itself and its ratios.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        guesses = [self.itself_.predict(X)]
        for column, ratio in zip(self.columns, self.ratios_, strict=True):
            guesses.append(ratio.predict(X) + _logarithm(X[:, column]))
        if len(self.columns) and self.scale == "linear":
            guesses = 10 ** np.array(guesses)
        return np.nanmean(guesses, axis=0)

    def _logarithms(self, y):
        if self.scale == "log10":
            return y
        if not (y > 0).all():
            raise ValueError(
                "a ratio to a reference needs targets above 0: set references=() or, if the "
                'targets are logarithms already, scale="log10"'
            )
        return np.log10(y)


def _logarithm(column):
    """Decimal logarithm, NaN where a number is missing or not positive."""
    return np.log10(np.where(column > 0, column, np.nan))
