"""Regression of the ratio of a target to what a potential computed."""

import numpy as np
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, RegressorMixin, clone

from .mean_of_ratios import MeanOfRatios

_MOST_MISSING = 0.1  # share of rows in which a reference may be missing or not positive


class PhysicsRatios(RegressorMixin, BaseEstimator):
    """Mean of a regressor fitted to logarithms of the target and of its ratios to references.

    The references are those of the last columns that rank the training rows most like the target:
    computed phonon frequencies for measured ones, computed moduli for measured moduli. Without any,
    the regressor is fitted to the target.

    Parameters
    ----------
    estimator : regressor
        Cloned for the target and each reference.
    n_columns : int
        Number of last columns to choose from.
    n_references : int, default=2
        Most references.
    min_correlation : float, default=0.9
        Smallest rank correlation of a reference with the target.

    Attributes
    ----------
    references_ : list of int
        The chosen columns, counted from the last one; the best first.
    model_ : MeanOfRatios
    """

    def __init__(self, estimator, *, n_columns, n_references=2, min_correlation=0.9):
        self.estimator = estimator
        self.n_columns = n_columns
        self.n_references = n_references
        self.min_correlation = min_correlation

    def fit(self, X, y, sample_weight=None):
        """Choose the references, and fit the regressor.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
            Positive targets.
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        self
        """
        self.references_ = find_references(
            X, y, self.n_columns, self.n_references, self.min_correlation
        )
        model = MeanOfRatios(clone(self.estimator), columns=self.references_)
        self.model_ = model.fit(X, y, sample_weight)
        return self

    def predict(self, X):
        """Return predictions, shape (n_samples,)."""
        return self.model_.predict(X)


def find_references(X, y, n_columns, n_references=2, min_correlation=0.9):
    """Return the last columns that rank the rows most like the target, counted from the last one.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,)
    n_columns : int
        Number of last columns to choose from.
    n_references : int, default=2
    min_correlation : float, default=0.9

    Returns
    -------
    list of int
        At most `n_references`, the best first; empty if none has this rank correlation.
    """
    columns = range(-n_columns, 0)
    correlations = [_rank_correlation(X[:, column], y) for column in columns]
    best = np.argsort(correlations)[::-1][:n_references]
    return [columns[place] for place in best if correlations[place] >= min_correlation]


def _rank_correlation(column, y):
    """Return the rank correlation; -1 if the column has too few positive values, or a single one.

    Parameters
    ----------
    column, y : ndarray of shape (n_rows,)
    """
    rows = column > 0
    if rows.mean() < 1 - _MOST_MISSING or np.ptp(column[rows]) == 0 or np.ptp(y[rows]) == 0:
        return -1.0
    return float(spearmanr(column[rows], y[rows]).statistic)
