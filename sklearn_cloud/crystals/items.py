"""Rows of collections of crystals."""

import os

import numpy as np

from .crystal import Crystal, Formula


def as_items(X):
    """Return the rows of `X` as a list, without looking inside the crystals.

    `numpy.asarray` turns a list of structures into an array of their sites; therefore arrays,
    Series and one-column frames are handled separately, and everything else must be a list or
    tuple.

    Parameters
    ----------
    X : list, tuple, ndarray, Series, pyarrow array or one-column DataFrame

    Returns
    -------
    list

    Raises
    ------
    TypeError
        If `X` is one crystal, one string, or not a collection at all.
    ValueError
        If `X` is empty or has several columns.

    Examples
    --------
    >>> from sklearn_cloud.crystals import as_items
    >>> as_items(("NaCl", "MgO"))
    ['NaCl', 'MgO']
    """
    shape = getattr(X, "shape", None)
    if isinstance(X, list | tuple) and not isinstance(X, Crystal | Formula):
        items = list(X)
    elif hasattr(X, "to_pylist") and not hasattr(X, "columns"):  # pyarrow
        items = X.to_pylist()
    elif not hasattr(X, "__array__") or shape is None:
        raise TypeError(f"expected a list, array or Series of crystals, got {_describe(X)}")
    elif len(shape) == 2 and shape[1] == 1:
        values = X if isinstance(X, np.ndarray) else X.to_numpy()
        items = list(values[:, 0])
    elif len(shape) == 1:
        items = list(X)
    elif len(shape) == 2 and hasattr(X, "columns"):
        names = list(getattr(X, "column_names", X.columns))  # pyarrow has both
        raise ValueError(
            f"expected one column of crystals, got a table with the columns {names}: pass only "
            f"the column of the crystals, for example X[{_likely_column(names)!r}]"
        )
    else:
        raise ValueError(
            f"expected a one-dimensional array of crystals, got shape {shape}; numpy.asarray "
            f"splits structures into their sites: pass a list instead"
        )
    if not items:
        raise ValueError("there are no crystals: X is empty")
    return items


def _describe(X):
    """Describe what was passed instead of a collection, and what to do."""
    kind = type(X).__name__
    if isinstance(X, str | os.PathLike) and os.path.isdir(X):
        return f"the folder {os.fspath(X)!r}: read it with sklearn_cloud.datasets.read_crystals"
    if hasattr(X, "__next__") or isinstance(X, map | filter | range | set | frozenset):
        return f"a {kind}: convert it to a list with list(X) or sorted(X)"
    if isinstance(X, dict):
        return "a dict: pass [X] for one crystal, or list(X.values()) for several"
    return f"a single {kind}: pass a list, [X] for one crystal"


def _likely_column(names):
    known = ("structure", "cif", "file", "path", "formula", "composition")
    return next((name for name in names if str(name).lower() in known), names[0])
