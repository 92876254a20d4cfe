"""Checks of model sizes, data sizes and losses."""

import numpy as np


def by_name(X):
    """The columns N and D of a table, as an array; anything else as it is."""
    if not hasattr(X, "columns"):
        return X
    if missing := [name for name in ("N", "D") if name not in X.columns]:
        raise ValueError(
            f"X has no column {' and '.join(missing)}, only {', '.join(map(str, X.columns))}. "
            "N is the model size, D the data size."
        )
    return X[["N", "D"]].to_numpy()


def check_sizes(X):
    """Raise a ValueError unless the columns are two positive sizes."""
    if X.shape[1] != 2:
        raise ValueError(f"X must have the two columns N and D, got {X.shape[1]} columns.")
    check_positive(X[:, 0], "The model size N")
    check_positive(X[:, 1], "The data size D")


def check_positive(values, name):
    """Raise a ValueError that names every row whose value is not above 0."""
    if len(rows := np.flatnonzero(~(np.isfinite(values) & (values > 0)))):
        raise ValueError(
            f"{name} must be above 0, got {', '.join(f'{v:g}' for v in values[rows])} "
            f"in row {', '.join(map(str, rows))}."
        )


def check_variety(X, least, n_coefficients):
    """Raise a ValueError if there are too few different sizes, or pairs of them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, 2)
    least : int
        Smallest number of different sizes in a column.
    n_coefficients : int
        Smallest number of different pairs.
    """
    for name, sizes in (("model sizes N", X[:, 0]), ("data sizes D", X[:, 1])):
        if (found := len(np.unique(sizes))) < least:
            raise ValueError(
                f"The law needs at least {least} different {name}, got {found}: fewer do not "
                "determine its exponent."
            )
    if (found := len(np.unique(X, axis=0))) < n_coefficients:
        raise ValueError(
            f"The law has {n_coefficients} coefficients, but there are only {found} different "
            "pairs of N and D: repetitions do not determine it."
        )
