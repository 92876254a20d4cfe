"""Rounding of features, so that a crystal and its file have the same."""

import numpy as np

_DIGITS = 6
_LEAST_DIGIT = 2  # smaller numbers are rounded like 0.01


def round_features(table):
    """Return the features with six significant digits, and no more than seven decimals.

    What follows is rounding error. It differs between a crystal and the same crystal read from a
    file, and the thresholds of trees would tell the two apart.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features)
        NaN where unknown.

    Returns
    -------
    ndarray of shape (n_rows, n_features)
    """
    leading = np.floor(np.log10(np.maximum(np.abs(table), 10.0**-_LEAST_DIGIT)))
    unit = 10.0 ** (leading - _DIGITS + 1)
    return np.round(table / unit) * unit
