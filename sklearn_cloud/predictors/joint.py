"""A number and a class as one model: the number is 0 where the class is true.

The band gap of a metal is 0. Predicted on its own, a gap hardly ever is, and can contradict the
predicted metallicity. Together, the class decides whether the number is 0, and the interval
contains 0 wherever the class is possible. Where the class is more probable than not, 0 is the
median of the distribution of the number, which minimises the absolute error.
"""

import numpy as np


def join(found, probability, coverage):
    """Set predictions to 0 where the class is more probable than not.

    Parameters
    ----------
    found : dict of str to ndarray of shape (n_rows,)
        "value", "lower" and "upper".
    probability : ndarray of shape (n_rows,)
        Of the class.
    coverage : float
        Of the interval.

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        The lower bound is 0 where the probability exceeds 1 - `coverage`: without 0, the
        interval would miss the value more often than it may.
    """
    zero = probability > 0.5
    possible = zero | (probability > 1 - coverage)
    return {
        **found,
        "value": np.where(zero, 0.0, found["value"]),
        "lower": np.where(possible, 0.0, found["lower"]),
    }
