"""The rows of what users pass as crystals."""

import os
from contextlib import contextmanager

import numpy as np


def as_items(X):
    """The rows of `X` as a list, never looking inside a crystal.

    `numpy.asarray` turns a list of structures into an array of their sites; so arrays, Series
    and one-column frames are opened by their own means, and everything else must be a list or
    tuple.

    Parameters
    ----------
    X : list, tuple, ndarray, Series or one-column DataFrame

    Returns
    -------
    list

    Raises
    ------
    TypeError
        If `X` is one crystal, one string, or no collection at all.
    ValueError
        If `X` is empty or has several columns.
    """
    shape = getattr(X, "shape", None)
    if isinstance(X, list | tuple):
        items = list(X)
    elif isinstance(X, str | bytes | os.PathLike) or not hasattr(X, "__array__") or shape is None:
        raise TypeError(
            f"expected a list, array or Series of crystals, got one {type(X).__name__}; put a "
            f"single crystal into a list"
        )
    elif len(shape) == 2 and shape[1] == 1:
        values = X if isinstance(X, np.ndarray) else X.to_numpy()
        items = list(values[:, 0])
    elif len(shape) == 1:
        items = list(X)
    else:
        raise ValueError(
            f"expected crystals in one dimension, got an array of shape {shape}; "
            f"numpy.asarray takes structures apart: keep them in a list"
        )
    if not items:
        raise ValueError("there are no crystals: X is empty")
    return items


@contextmanager
def name_row(row):
    """Put the number of the row in front of the TypeError or ValueError of the block."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"row {row}: {error}") from error
