"""Checks of what users hand to `fit` and `predict`."""

import numpy as np
from sklearn.utils import check_array, column_or_1d

from .._compat import is_pandas_na
from ..exceptions import shorten

LARGEST_TARGET = 1e30  # of models that do not scale it: trees read their features as float32


def accept_strings(tags):
    """Say in an estimator's tags that it takes one column of strings."""
    tags.input_tags.string = True
    tags.input_tags.one_d_array = True
    tags.input_tags.two_d_array = False
    return tags


def check_targets(y, n_rows, name):
    """Targets as floats, 1-D or 2-D, one row per row of X.

    Where there are several targets, NaN is one that is not known; a row needs one that is.

    Raises
    ------
    ValueError
        If ``y`` is missing, not numeric, of another length, unknown or infinite (naming the row).
    """
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    y = _as_floats(y, "y", ensure_all_finite=False)
    check_same_length(y, n_rows, "y")
    table = y.reshape(n_rows, -1)
    unknown = np.isnan(table).all(axis=1)
    bad = np.flatnonzero(unknown | np.isinf(table).any(axis=1))
    if len(bad):
        value = "NaN" if unknown[bad[0]] else "infinity"
        raise ValueError(
            f"Input y contains {value} in row {bad[0]} ({len(bad)} rows in all): drop these rows "
            "or fill in their targets."
        )
    return y


def check_magnitude(y):
    """Raise ValueError for targets that only networks could learn, which scale them first."""
    large = np.flatnonzero(np.abs(y) > LARGEST_TARGET)
    if len(large):
        raise ValueError(
            f"Input y is {y[large[0]]:g} in row {large[0]} ({len(large)} rows in all are beyond "
            f"{LARGEST_TARGET:g}): check it, or use another unit."
        )


def _as_floats(values, name, **options):
    """An array of floats, or an error that does not repeat all of a long input."""
    try:
        return check_array(values, ensure_2d=False, dtype=np.float64, input_name=name, **options)
    except ValueError as error:
        raise ValueError(shorten(error, 300)) from None


def check_weights(sample_weight, n_rows):
    """Sample weights, of mean 1 over the rows that have any, or ones where none are given."""
    if sample_weight is None:
        return np.ones(n_rows, dtype=np.float32)
    weights = _as_floats(sample_weight, "sample_weight")
    if weights.ndim != 1:
        raise ValueError("Sample weights must be a 1D array")
    check_same_length(weights, n_rows, "sample_weight")
    return mean_one(weights, "sample_weight")


def mean_one(weights, name):
    """Weights of mean 1 over the rows that have any."""
    if weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"{name} must be non-negative, and not zero in every row.")
    return (weights / weights[weights > 0].mean()).astype(np.float32)


def check_same_length(values, n_rows, name):
    """Raise ValueError unless ``values`` has one entry per row of X."""
    if len(values) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows, "
            f"{name} has {len(values)}."
        )


def check_labels(y, n_rows, name):
    """Labels as a one-dimensional array, one per row, none missing.

    Raises
    ------
    ValueError
        If ``y`` is missing, not one column of classes, of another length, or has a missing label
        (naming the row).
    """
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    y = column_or_1d(y, warn=True)
    check_same_length(y, n_rows, "y")
    missing = [
        row for row, label in enumerate(y) if label is None or is_pandas_na(label) or label != label
    ]
    if missing:
        raise ValueError(
            f"Input y contains NaN in row {missing[0]} ({len(missing)} rows in all): drop the rows "
            "without a label."
        )
    return y
