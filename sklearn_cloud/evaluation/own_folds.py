"""Folds of a table of one's own: random, by group, by chemical system, by element, ..."""

from typing import NamedTuple

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

from .splitters import LeaveOneElementOut, LeaveOneSpaceGroupOut

#: The ways to make folds, and which new crystals the error of each is about.
CVS = {
    "plain": "random folds, for crystals like those of the table",
    "group": "folds that keep each group together, for crystals of a new group",
    "composition": "folds that keep crystals of the same elements together, for a new chemical "
    "system",
    "element": "all crystals of an element left out, for an element that the model has never seen",
    "space-group": "all crystals of a space group left out, for a space group that the model has "
    "never seen",
}


class OwnFolds(NamedTuple):
    """Folds with their names.

    Attributes
    ----------
    cv : str
        One of ``CVS``.
    names : list of str
        The element or space group that a fold leaves out, else its number.
    folds : list of (ndarray, ndarray)
        Training and test rows.
    """

    cv: str
    names: list
    folds: list


def make_folds(
    cv,
    crystals,
    target,
    *,
    n_folds=5,
    groups=None,
    classification=False,
    max_folds=None,
    random_state=0,
):
    """Return the folds of a table.

    Parameters
    ----------
    cv : {"plain", "group", "composition", "element", "space-group"}
    crystals : ndarray of shape (n_rows,)
        `Crystal` or `Formula` objects.
    target : ndarray of shape (n_rows,)
    n_folds : int, default=5
        Number of folds for the first three.
    groups : array-like of shape (n_rows,), default=None
        The group of each row, for ``cv="group"``.
    classification : bool, default=False
        Whether the target has classes: random folds then have equal shares of them.
    max_folds : int, default=None
        Largest number of elements or space groups, chosen at random; None means all.
    random_state : int, default=0

    Returns
    -------
    OwnFolds

    Raises
    ------
    ValueError
        If ``cv`` is unknown, ``groups`` are missing, or there are fewer groups than folds.
    """
    if cv not in CVS:
        raise ValueError(f"cv must be one of {', '.join(map(repr, CVS))}, got {cv!r}.")
    if cv in ("element", "space-group"):
        return _leave_out(cv, crystals, max_folds, random_state)
    options = {"n_splits": n_folds, "shuffle": True, "random_state": random_state}
    if cv == "plain":
        splitter = (StratifiedKFold if classification else KFold)(**options)
        folds = splitter.split(np.zeros(len(target)), target)
    else:
        groups = _chemical_systems(crystals) if cv == "composition" else _check_groups(groups)
        _check_number_of_groups(cv, groups, n_folds)
        folds = GroupKFold(**options).split(np.zeros(len(target)), groups=groups)
    folds = list(folds)
    return OwnFolds(cv, [str(number + 1) for number in range(len(folds))], folds)


def _leave_out(cv, crystals, max_folds, random_state):
    splitter = LeaveOneElementOut() if cv == "element" else LeaveOneSpaceGroupOut()
    found = splitter._folds(crystals, None)  # finding the space groups twice would take long
    names = [str(label) for label, _ in found]
    folds = [(np.flatnonzero(~mask), np.flatnonzero(mask)) for _, mask in found]
    chosen = np.arange(len(names))
    if max_folds is not None and max_folds < len(names):
        rng = np.random.RandomState(random_state)
        chosen = np.sort(rng.choice(len(names), max_folds, replace=False))
    return OwnFolds(cv, [names[i] for i in chosen], [folds[i] for i in chosen])


def _chemical_systems(crystals):
    return ["-".join(sorted(crystal.composition)) for crystal in crystals]


def _check_groups(groups):
    if groups is None:
        raise ValueError('cv="group" needs groups: pass the group of each row.')
    missing = [row for row, group in enumerate(groups) if group is None or group != group]
    if missing:
        raise ValueError(
            f"The group of row {missing[0]} is missing ({len(missing)} rows in all): fill it in, "
            "or drop these rows."
        )
    return [str(group) for group in groups]


def _check_number_of_groups(cv, groups, n_folds):
    what = "chemical systems" if cv == "composition" else "groups"
    distinct = sorted(set(groups))
    if len(distinct) == 1:
        raise ValueError(
            f"All {len(groups)} rows are in one of the {what}, {distinct[0]!r}: there is nothing "
            f"to leave out for cv={cv!r}."
        )
    if len(distinct) < n_folds:
        raise ValueError(
            f"There are {len(distinct)} {what}, fewer than n_folds={n_folds}: pass a smaller "
            "n_folds, or another cv."
        )
