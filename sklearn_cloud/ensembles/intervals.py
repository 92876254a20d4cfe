"""Prediction intervals from errors of out-of-fold predictions.

CV+ of Barber et al. [1]_ with errors in units of an estimated difficulty of each crystal, so that
intervals are wide where errors are large.

References
----------
.. [1] R. F. Barber, E. J. Candes, A. Ramdas, R. J. Tibshirani, "Predictive inference with the
   jackknife+", Annals of Statistics 49, 486 (2021).
"""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesRegressor

from .coverage import check_coverage

_TREES = 60
_NUMBERS_AT_A_TIME = 10_000_000  # that limit the memory


class Difficulty(BaseEstimator):
    """Expected size of the error of each crystal.

    Trees with large leaves learn the errors of the training rows from the features of the crystals
    and the spread of the members.

    Parameters
    ----------
    random_state : int, default=0

    Attributes
    ----------
    model_ : ExtraTreesRegressor
        Fitted on all rows.
    floor_ : float
        Smallest predicted difficulty.
    """

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit_predict(self, features, errors, folds):
        """Learn the errors.

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
        errors : ndarray of shape (n_rows,)
            Absolute errors of out-of-fold predictions.
        folds : list of (ndarray, ndarray)

        Returns
        -------
        ndarray of shape (n_rows,)
            Out-of-fold difficulty of each row.
        """
        difficulty = np.empty(len(errors))
        self.floor_ = max(0.1 * float(np.median(errors)), float(np.finfo(float).tiny))
        leaf = max(5, len(errors) // 100)
        trees = ExtraTreesRegressor(
            _TREES, min_samples_leaf=leaf, max_features=0.5, random_state=self.random_state
        )
        for train, test in folds:
            model = clone(trees).fit(features[train], errors[train])
            difficulty[test] = model.predict(features[test])
        self.model_ = trees.fit(features, errors)
        return np.maximum(difficulty, self.floor_)

    def predict(self, features):
        """Return the difficulty of new crystals, shape (n_rows,)."""
        return np.maximum(self.model_.predict(features), self.floor_)


def cv_plus(centers, difficulty, scores, fold_of_row, coverage):
    """Return the intervals of new crystals.

    Parameters
    ----------
    centers : ndarray of shape (n_rows, n_folds) or (n_rows, 1)
        Predictions of the models of each fold, or of one model.
    difficulty : ndarray of shape (n_rows,)
    scores : ndarray of shape (n_training_rows,)
        Absolute errors of the training rows in units of their difficulty.
    fold_of_row : ndarray of shape (n_training_rows,)
        The fold that each training row was left out of; not used if there is a single model.
    coverage : float

    Returns
    -------
    ndarray of shape (n_rows, 2)
        Lower and upper bounds.

    Raises
    ------
    ValueError
        If the coverage is not between 0 and 1, or there are too few training rows for it.
    """
    check_coverage(coverage)
    n_scores = len(scores)
    rank = int(np.ceil((n_scores + 1) * coverage))
    if rank > n_scores:
        needed = int(np.ceil(round(coverage / (1 - coverage), 6)))  # 9, not 9.000000000000002
        raise ValueError(
            f"coverage={coverage} needs at least {needed} training rows that are left out by a "
            f"fold, but the intervals of this model come from {n_scores}: use a smaller coverage, "
            "or fit on more rows."
        )
    bounds = np.empty((len(centers), 2))
    if centers.shape[1] == 1:
        width = difficulty * np.partition(scores, rank - 1)[rank - 1]
        return centers + np.outer(width, [-1, 1])
    step = max(1, _NUMBERS_AT_A_TIME // n_scores)
    for start in range(0, len(centers), step):
        rows = slice(start, start + step)
        middle = centers[rows][:, fold_of_row]
        width = difficulty[rows, None] * scores
        lower = np.partition(middle - width, n_scores - rank, axis=1)[:, n_scores - rank]
        upper = np.partition(middle + width, rank - 1, axis=1)[:, rank - 1]
        bounds[rows] = np.column_stack([lower, upper])
    return bounds
