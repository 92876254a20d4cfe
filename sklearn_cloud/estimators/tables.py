"""Input of the estimators for strings: a column of strings, and optional columns of numbers."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StringTable:
    """Symmetry strings and the numbers next to them.

    Attributes
    ----------
    strings : ndarray of shape (n_rows,), object
    numbers : ndarray of shape (n_rows, n_numbers), float64
        NaN if unknown; no columns if there are no numbers.
    names : tuple of str
        Names of the numbers: the columns of the table, or else `x1`, `x2`, ...
    columns : tuple of str or None
        All column names of the table, if it has any.
    """

    strings: np.ndarray
    numbers: np.ndarray
    names: tuple = ()
    columns: tuple | None = None

    def __len__(self):
        return len(self.strings)


def check_table(X, name):
    """Return the strings and numbers of a table.

    Parameters
    ----------
    X : list, array, Series or DataFrame
        One column of strings and any number of numeric columns.
    name : str
        Name of the estimator in messages.

    Returns
    -------
    StringTable

    Raises
    ------
    TypeError
        If a row of the column of strings is not text.
    ValueError
        If there is not exactly one column of strings, or another value is infinite or not a number.
    """
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 2 or shape[1] < 2:
        strings = check_strings(X, name)
        return StringTable(strings, np.empty((len(strings), 0)))
    columns = _column_names(X)
    values = X if isinstance(X, np.ndarray) else X.to_numpy()
    place = _string_column(values, columns, name)
    labels = columns or tuple(f"x{i}" for i in range(shape[1]))
    strings = check_strings(values[:, place], name)
    others = [i for i in range(shape[1]) if i != place]
    numbers = [_numbers(values[:, i], labels[i]) for i in others]
    return StringTable(strings, np.column_stack(numbers), tuple(labels[i] for i in others), columns)


def _column_names(X):
    names = getattr(X, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)


def _string_column(values, columns, name):
    """Return the index of the column of strings: its first value other than None is text."""
    if len(values) == 0:
        raise ValueError(f"Found array with 0 sample(s) while {name} requires at least 1.")
    first = [next((one for one in column if one is not None), None) for column in values.T]
    found = [i for i, value in enumerate(first) if isinstance(value, str)]
    if len(found) == 1:
        return found[0]
    held = f" (columns {', '.join(columns)})" if columns else ""
    raise ValueError(
        f"X must have one column of symmetry strings and otherwise columns of numbers, got "
        f"{len(found)} columns of text among {values.shape[1]}{held}."
    )


def _numbers(column, label):
    try:
        numbers = np.array([np.nan if value is None else value for value in column], dtype=float)
    except (TypeError, ValueError):
        row = next(i for i, value in enumerate(column) if not _is_number(value))
        raise ValueError(
            f"Column {label!r} of X has {column[row]!r:.40} in row {row}, expected a number, or "
            "NaN if it is unknown."
        ) from None
    infinite = np.flatnonzero(np.isinf(numbers))
    if len(infinite):
        raise ValueError(
            f"Column {label!r} of X is infinite in row {infinite[0]} ({len(infinite)} rows in "
            "all): use NaN for unknown numbers."
        )
    return numbers


def _is_number(value):
    try:
        float(np.nan if value is None else value)
    except (TypeError, ValueError):
        return False
    return True


def check_strings(X, name="CloudRegressor"):
    """Return a one-dimensional object array of symmetry strings.

    Parameters
    ----------
    X : list, tuple, array, Series, or one-column table
    name : str
        Name of the estimator in messages.

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
    _refuse_missing(X, name)
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


def _refuse_missing(X, name):
    """Raise an error for rows skipped by `SymmetryStringTransformer(on_error="warn")`."""
    rows = [row for row, string in enumerate(X) if string is None]
    if rows:
        listed = f"{rows[:20]}" if len(rows) <= 20 else f"{rows[:20]} and {len(rows) - 20} more"
        raise TypeError(
            f"X has no string in {len(rows)} of {len(X)} rows, {listed}: their crystals could not "
            f"be read. Drop these rows, and their targets, before the pipeline:\n"
            '    strings = SymmetryStringTransformer(on_error="warn").fit_transform(X)\n'
            "    keep = [string is not None for string in strings]\n"
            f"    {name}().fit(strings[keep], y[keep])"
        )


def _describe(value):
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"of type {type(value).__name__}"


def _advice(name):
    return (
        "Convert crystals to strings with SymmetryStringTransformer: "
        f"make_pipeline(SymmetryStringTransformer(), {name}())."
    )
