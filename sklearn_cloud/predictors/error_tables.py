"""Errors of the rows left out, by chemistry and by novelty, and the coverage of the intervals."""

import numpy as np

from ..ensembles.applicability import Applicability, elements_of
from ..symmetry.transformer import SymmetryStringTransformer
from .chemistry import CHEMISTRIES, chemistry_class

#: Edges of the applicability: similar to the training crystals from right to left.
NOVELTY = ((0.5, 1.0), (0.25, 0.5), (0.05, 0.25), (0.0, 0.05))
COVERAGE = 0.9  # of the intervals whose coverage is measured
_PARTS = 5  # of the rows left out, if there is a single fold


def measured_coverage(scores, fold, coverage):
    """Return whether the interval of each row, calibrated on the other folds, has the true value.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Absolute errors of the rows left out in units of their difficulty.
    fold : ndarray of shape (n_rows,)
        The fold that left out each row; if there is only one, five random parts are used.
    coverage : float
        Nominal coverage.

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    if len(np.unique(fold)) == 1:
        fold = np.random.RandomState(0).permutation(len(scores)) % _PARTS
    covered = np.empty(len(scores), dtype=bool)
    for number in np.unique(fold):
        others = np.sort(scores[fold != number])
        rank = min(int(np.ceil((len(others) + 1) * coverage)), len(others))
        covered[fold == number] = scores[fold == number] <= others[rank - 1]
    return covered


def error_tables(prop, data, folds, left_out):
    """Return the errors by chemistry and by novelty.

    Parameters
    ----------
    prop : Property
    data : Bunch
        From `fetch_matbench`.
    folds : list of (ndarray, ndarray)
    left_out : dict of str to ndarray
        With "rows", "target", "predicted" and, for numbers, "covered".

    Returns
    -------
    dict of str to list of dict
        "chemistry", "novelty" and "unseen_elements": the latter are rows with an element that
        the training rows of their fold do not have.
    """
    strings = SymmetryStringTransformer().transform(list(data.structures))
    elements = [elements_of(string) for string in strings]
    novelty, unseen = np.full(len(strings), np.nan), np.zeros(len(strings), dtype=bool)
    for train, test in folds:
        model = Applicability().fit(strings[train])
        novelty[test] = model.score(strings[test])
        known = set(model.elements_)
        unseen[test] = [not elements[row] <= known for row in test]
    rows = left_out["rows"]
    return group_errors(
        prop, [elements[row] for row in rows], novelty[rows], unseen[rows], left_out
    )


def group_errors(prop, elements, novelty, unseen, left_out):
    """Return the errors of rows by chemistry and by novelty, as `error_tables` does.

    Parameters
    ----------
    prop : Property
    elements : list of set of str
        Of each row.
    novelty : ndarray of shape (n_rows,)
        Applicability of each row.
    unseen : ndarray of shape (n_rows,), bool
        Whether it has an element that no training row has.
    left_out : dict of str to ndarray
        With "target", "predicted" and, for numbers, "covered".

    Returns
    -------
    dict of str to list of dict
    """
    classes = np.array([chemistry_class(one) for one in elements])
    by_chemistry = [(name, classes == name) for name in CHEMISTRIES]
    by_novelty = [
        (f"applicability {low:g}-{high:g}", _between(novelty, low, high) & ~unseen)
        for low, high in NOVELTY
    ]
    return {
        "chemistry": _table(prop, by_chemistry, left_out),
        "novelty": _table(prop, by_novelty, left_out),
        "unseen_elements": _table(prop, [("elements not in training", unseen)], left_out),
    }


def _between(values, low, high):
    return (values >= low) & ((values < high) | (high >= 1))


def _table(prop, groups, left_out):
    """Return one row for each group that is not empty."""
    return [
        {"group": name, "rows": int(mask.sum()), **_errors(prop, mask, left_out)}
        for name, mask in groups
        if mask.any()
    ]


def _errors(prop, mask, left_out):
    target, predicted = left_out["target"][mask], left_out["predicted"][mask]
    if prop.classes:
        return {"accuracy": float(np.mean((predicted > 0.5) == target))}
    return {
        "mae": float(np.abs(target - predicted).mean()),
        "coverage": float(left_out["covered"][mask].mean()),
    }
