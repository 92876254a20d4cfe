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


def check_variety(X, least):
    """Raise a ValueError if there are fewer than `least` different sizes in a column."""
    for name, sizes in (("model sizes N", X[:, 0]), ("data sizes D", X[:, 1])):
        if (found := len(np.unique(sizes))) < least:
            raise ValueError(
                f"The law needs at least {least} different {name}, got {found}: fewer do not "
                "determine its exponent."
            )
