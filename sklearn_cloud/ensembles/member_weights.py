"""Weights of the members, from their out-of-fold predictions."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog, minimize

_MOST_ROWS = 4000  # enough for a handful of weights
_SMALLEST, _LARGEST = 1e-9, 1e9  # coefficients of the linear programme


def absolute_error_weights(predictions, y, sample_weight):
    """Return the weights that minimise the absolute error of the weighted mean.

    Parameters
    ----------
    predictions : ndarray of shape (n_rows, n_members)
        Out-of-fold predictions.
    y, sample_weight : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_members,)
        Non-negative, with sum 1: the solution of a linear programme.
    """
    rows = _some_rows(len(y))
    predictions, y, sample_weight = predictions[rows], y[rows], sample_weight[rows]
    n_rows, n_members = predictions.shape
    # the weights sum to 1, so that the centre changes nothing
    center = np.median(y)
    scale = np.abs(y - center).mean() or 1.0
    predictions, targets = _scaled(predictions - center, scale), _scaled(y - center, scale)
    # variables: the weights, then the errors above and below
    identity = sparse.eye_array(n_rows)
    equations = sparse.hstack([sparse.csr_array(predictions), identity, -identity])
    total = sparse.csr_array(np.r_[np.ones(n_members), np.zeros(2 * n_rows)][None])
    result = linprog(
        np.r_[np.zeros(n_members), sample_weight, sample_weight],
        A_eq=sparse.vstack([equations, total]).tocsr(),
        b_eq=np.r_[targets, 1.0],
        method="highs",
    )
    if result.x is None:
        raise ValueError(f"no weights of the members were found: {result.message}")
    return _normalise(result.x[:n_members])


def _scaled(values, scale):
    """Return values in units of the scale, within the range that the linear programme allows."""
    with np.errstate(over="ignore"):
        values = np.clip(values / scale, -_LARGEST, _LARGEST)
    return np.where(np.abs(values) < _SMALLEST, 0.0, values)


def log_loss_weights(probabilities, codes, sample_weight):
    """Return the weights that minimise the cross-entropy of the weighted mean of probabilities.

    Parameters
    ----------
    probabilities : ndarray of shape (n_members, n_rows, n_classes)
        Out-of-fold probabilities.
    codes : ndarray of shape (n_rows,), int
        Index of each row's class.
    sample_weight : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_members,)
        Non-negative, with sum 1.
    """
    of_class = probabilities[:, np.arange(len(codes)), codes]
    n_members = len(of_class)

    def loss(weights):
        mixed = np.clip(weights @ of_class, 1e-9, None)
        return -(sample_weight * np.log(mixed)).sum(), -(sample_weight / mixed * of_class).sum(
            axis=1
        )

    start = np.full(n_members, 1 / n_members)
    constraint = {"type": "eq", "fun": lambda weights: weights.sum() - 1}
    result = minimize(loss, start, jac=True, bounds=[(0, 1)] * n_members, constraints=[constraint])
    return _normalise(result.x)


def _some_rows(n_rows):
    if n_rows <= _MOST_ROWS:
        return np.arange(n_rows)
    return np.random.RandomState(0).choice(n_rows, _MOST_ROWS, replace=False)


def _normalise(weights):
    weights = np.clip(weights, 0, None)
    weights[weights < 1e-3] = 0
    return weights / weights.sum()
