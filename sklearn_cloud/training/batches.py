"""Batches of rows of similar length."""

import numpy as np

# Rows are sorted by length within pools of this many batches: little padding is left, and who
# shares a batch still changes from epoch to epoch.
POOL_BATCHES = 16


def shuffled_by_length(lengths, batch_size, rng):
    """Random batches of rows of similar length.

    Parameters
    ----------
    lengths : ndarray of shape (n_rows,)
    batch_size : int
    rng : numpy.random.RandomState

    Returns
    -------
    list of ndarray
        Row numbers of each batch; together every row once.
    """
    batches = []
    for pool in cut(rng.permutation(len(lengths)), POOL_BATCHES * batch_size):
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        batches += cut(by_length, batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def cut(rows, size):
    """Consecutive pieces of ``size`` rows; the last one may be shorter."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
