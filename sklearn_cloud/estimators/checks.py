"""Checks of what users hand to `fit` and `predict`."""

import numpy as np
from sklearn.utils import check_array


def check_strings(X, name="CloudRegressor"):
    """One-dimensional object array of symmetry strings.

    Parameters
    ----------
    X : list, tuple, array, Series, or one-column table
    name : str
        The estimator that the messages speak of.

    Returns
    -------
    ndarray of shape (n_strings,), dtype object

    Raises
    ------
    TypeError
        If ``X`` or one of its rows is not text.
    ValueError
        If ``X`` is empty or has more than one column.
    """
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 1:
            raise ValueError(
                f"X must be one column of symmetry strings, got an array of shape {X.shape}."
            )
    elif not isinstance(X, (list, tuple)):
        raise TypeError(
            f"X must be a list, array or Series of symmetry strings, got {type(X).__name__}. "
            f"{_advice(name)}"
        )
    for row, string in enumerate(X):
        if not isinstance(string, str):
            raise TypeError(
                f"Row {row} of X is {_describe(string)}, expected a symmetry string. "
                f"{_advice(name)}"
            )
    if len(X) == 0:
        raise ValueError(f"Found array with 0 sample(s) while {name} requires at least 1.")
    strings = np.empty(len(X), dtype=object)
    strings[:] = [str(string) for string in X]
    return strings


def accept_strings(tags):
    """Say in an estimator's tags that it takes one column of strings."""
    tags.input_tags.string = True
    tags.input_tags.one_d_array = True
    tags.input_tags.two_d_array = False
    return tags


def _describe(value):
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"of type {type(value).__name__}"


def _advice(name):
    return (
        "Crystals become strings through SymmetryStringTransformer: "
        f"make_pipeline(SymmetryStringTransformer(), {name}())."
    )


def check_targets(y, n_rows, name="CloudRegressor"):
    """Targets as floats, 1-D or 2-D, finite and one per row.

    Raises
    ------
    ValueError
        If ``y`` is missing, not numeric, of another length, NaN or infinite (naming the row).
    """
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    y = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name="y")
    check_same_length(y, n_rows, "y")
    bad = np.flatnonzero(~np.isfinite(y.reshape(n_rows, -1)).all(axis=1))
    if len(bad):
        value = "NaN" if np.isnan(y[bad[0]]).any() else "infinity"
        raise ValueError(
            f"Input y contains {value} in row {bad[0]} ({len(bad)} rows in all): leave these "
            "rows out or fill in their targets."
        )
    return y


def check_weights(sample_weight, n_rows):
    """Sample weights, of mean 1 over the rows that have any, or ones where none are given."""
    if sample_weight is None:
        return np.ones(n_rows, dtype=np.float32)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    check_same_length(weights, n_rows, "sample_weight")
    return mean_one(weights, "sample_weight")


def mean_one(weights, name):
    """Weights of mean 1 over the rows that have any."""
    if weights.min() < 0 or weights.sum() == 0:
        raise ValueError(f"{name} must not be negative, nor zero in every row.")
    return (weights / weights[weights > 0].mean()).astype(np.float32)


def check_same_length(values, n_rows, name):
    """Raise ValueError unless ``values`` has one entry per row of X."""
    if len(values) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows, "
            f"{name} has {len(values)}."
        )


def check_lengths(token_ids, max_positions, on_too_long):
    """Token ids that fit into the encoder.

    Raises
    ------
    ValueError
        If a string is longer than ``max_positions`` tokens and ``on_too_long`` is "raise".
    """
    lengths = np.fromiter(map(len, token_ids), dtype=int, count=len(token_ids))
    too_long = np.flatnonzero(lengths > max_positions)
    if len(too_long) == 0:
        return token_ids
    if on_too_long == "raise":
        row = too_long[0]
        raise ValueError(
            f"The string in row {row} of X has {lengths[row]} tokens, the encoder reads at most "
            f"{max_positions} ({len(too_long)} such rows in all). Pass on_too_long='truncate' to "
            "cut off their ends, or an encoder with a larger max_positions."
        )
    # The end token stays, so that a shortened string still closes.
    return [
        ids if len(ids) <= max_positions else [*ids[: max_positions - 1], ids[-1]]
        for ids in token_ids
    ]
