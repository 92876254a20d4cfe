"""Folds of the training rows of an ensemble."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    check_cv,
)

_FOLDS = 5
_MANY_ROWS = 3000  # above this, one split tells enough, in a third of the time
_LEFT_OUT = (0.2, 5000)  # share and largest number of rows left out by it
_WEIGHT_FOLDS = 5  # of the left-out rows, where there is a single fold


def count_shuffled_folds(cv, n_rows):
    """Return the number of shuffled folds that `cv` means; None if it brings its own."""
    if cv is None:
        return 1 if n_rows > _MANY_ROWS else _FOLDS
    return cv if isinstance(cv, Integral) else None


def make_folds(cv, y, *, stratify, random_state):
    """Return the folds, each as (training rows, left-out rows).

    Parameters
    ----------
    cv : int, cross-validation splitter, iterable of (train, test) or None
        An integer means that many shuffled folds, None five of them or, for many rows, a single
        split.
    y : ndarray of shape (n_rows,)
    stratify : bool
        Whether shuffled folds keep the shares of the classes.
    random_state : int
        Seed of shuffled folds.

    Returns
    -------
    list of (ndarray, ndarray)

    Raises
    ------
    ValueError
        If there are fewer rows than folds, a fold is empty or has indices that are no rows, or a
        row is left out more than once.
    """
    n_folds = count_shuffled_folds(cv, len(y))
    if n_folds == 1:
        share, most = _LEFT_OUT
        kind = StratifiedShuffleSplit if stratify else ShuffleSplit
        cv = kind(1, test_size=min(int(share * len(y)), most), random_state=random_state)
    elif n_folds:
        if len(y) < n_folds:
            raise ValueError(
                f"n_samples={len(y)} is fewer than the cv={n_folds} folds: pass more rows, or "
                "fewer folds."
            )
        kind = StratifiedKFold if stratify else KFold
        cv = kind(n_folds, shuffle=True, random_state=random_state)
    placeholder = np.zeros((len(y), 1))
    folds = [
        tuple(_indices(part, number, len(y)) for part in parts)
        for number, parts in enumerate(check_cv(cv).split(placeholder, y))
    ]
    if not folds:
        used = hasattr(cv, "__next__")
        advice = " An iterator gives its folds only once: pass a list of them." if used else ""
        raise ValueError(f"cv has no folds.{advice}")
    for number, rows in enumerate(folds):
        if any(len(part) == 0 for part in rows):
            raise ValueError(f"fold {number} of cv has no rows to fit on, or leaves none out.")
        if any(part.min() < 0 or part.max() >= len(y) for part in rows):
            raise ValueError(
                f"fold {number} of cv has indices outside the {len(y)} rows of X (0 to "
                f"{len(y) - 1})."
            )
        if np.intersect1d(*rows).size:
            raise ValueError(f"fold {number} of cv leaves out rows that it also fits on.")
    counts = np.bincount(np.concatenate([test for _, test in folds]))
    if counts.max() > 1:
        raise ValueError(
            f"cv leaves out row {counts.argmax()} {counts.max()} times, but may leave out each row "
            "only once: use KFold, or a list of the splits of GroupKFold."
        )
    return folds


def _indices(part, number, n_rows):
    """Return the rows of one part of a fold, which may be a mask of all rows."""
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n_rows,):
        return np.flatnonzero(part)
    if part.ndim != 1 or (part.size and part.dtype.kind not in "iu"):
        raise ValueError(
            f"fold {number} of cv must be two lists of row numbers, or two masks of the {n_rows} "
            f"rows of X, got an array of {part.dtype} with shape {part.shape}."
        )
    return part.astype(int)


def weighted_parts(folds, sample_weight):
    """Return the folds without the rows of weight 0.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
    sample_weight : ndarray of shape (n_rows,) or None

    Returns
    -------
    list of (ndarray, ndarray)

    Raises
    ------
    ValueError
        If no row that a fold is fitted on has a weight, or none of all left-out rows has one.
    """
    if sample_weight is None:
        return folds
    folds = [tuple(part[sample_weight[part] > 0] for part in parts) for parts in folds]
    for number, (train, _) in enumerate(folds):
        if not len(train):
            raise ValueError(f"sample_weight is 0 in all rows that fold {number} is fitted on.")
    if not any(len(test) for _, test in folds):
        raise ValueError("sample_weight is 0 in all rows that cv leaves out.")
    return [(train, test) for train, test in folds if len(test)]


def check_classes(folds, y, labels):
    """Raise ValueError if a fold is fitted without any row of a class.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
    y : ndarray of shape (n_rows,)
        Indices of the classes.
    labels : ndarray of shape (n_classes,)
        Names of the classes.
    """
    for number, (train, _) in enumerate(folds):
        missing = np.setdiff1d(np.arange(len(labels)), y[train])
        if len(missing):
            raise ValueError(
                f"fold {number} of cv is fitted without the class {str(labels[missing[0]])!r}: "
                "every fold needs rows of every class to fit on."
            )


class LeftOut:
    """The rows that were left out by a fold, with their predictions.

    Parameters
    ----------
    fits : list of CrossFit
    features : ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,)
    sample_weight : ndarray of shape (n_rows,) or None
    folds : list of (ndarray, ndarray)
    random_state : int

    Attributes
    ----------
    n_rows : int
        Number of all rows.
    rows : ndarray of shape (n_left_out,)
        Indices of the rows left out, sorted.
    fold_of_row : ndarray of shape (n_left_out,)
        Number of the fold that left out each of them.
    names : list of str
        Names of the members.
    predictions : ndarray of shape (n_members, n_left_out, ...)
    features, y, sample_weight : ndarray
        Of these rows.
    folds : list of (ndarray, ndarray)
        Folds of these rows, for what is learned from their predictions: the same ones if there
        are several, else shuffled ones.
    random_state : int
    """

    def __init__(self, fits, features, y, sample_weight, folds, random_state):
        numbers = np.full(len(y), -1, dtype=np.int32)
        for number, (_, test) in enumerate(folds):
            numbers[test] = number
        self.n_rows, self.rows = len(y), np.flatnonzero(numbers >= 0)
        self.fold_of_row = numbers[self.rows]
        self.names = [fit.name for fit in fits]
        self.predictions = np.array([fit.predictions[self.rows] for fit in fits])
        self.features, self.y = features[self.rows], y[self.rows]
        self.sample_weight = np.ones(len(y)) if sample_weight is None else sample_weight
        self.sample_weight = self.sample_weight[self.rows].astype(float)
        self.folds = _second_folds(self.fold_of_row, random_state)
        self.random_state = random_state

    def by_name(self, values):
        """Return {name of the member: value}."""
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}


def _second_folds(fold_of_row, random_state):
    numbers = np.unique(fold_of_row)
    if len(numbers) > 1:
        return [
            (np.flatnonzero(fold_of_row != k), np.flatnonzero(fold_of_row == k)) for k in numbers
        ]
    if len(fold_of_row) < 2:
        raise ValueError("cv leaves out a single row: leave out more.")
    n_folds = min(_WEIGHT_FOLDS, len(fold_of_row))
    return list(KFold(n_folds, shuffle=True, random_state=random_state).split(fold_of_row))
