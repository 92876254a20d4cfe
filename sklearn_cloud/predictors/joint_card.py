"""The card of a number and a class that are used as one model."""

import numpy as np

from ..ensembles.applicability import elements_of
from ..symmetry.transformer import SymmetryStringTransformer
from .error_tables import COVERAGE, group_errors
from .joint import join
from .recipe import score_left_out


def join_card(prop, card, ensemble, other, left_out, other_left_out, data):
    """Return the card of two predictors that are used as one model.

    Parameters
    ----------
    prop : Property
        Of the number.
    card : dict
        Of the number alone.
    ensemble : CrystalRegressor
        Of the number.
    other : dict
        Card of the class.
    left_out, other_left_out : dict of str to ndarray
        Rows that each was not fitted on: "ids", "rows", "fold", "target", "predicted" and, of the
        number, "covered". The two tables must list the same crystals in the same order.
    data : Bunch
        Table of the number.

    Returns
    -------
    dict
        With the scores of rows that neither of the two was fitted on.
    """
    joined, alone = join_left_out(prop, left_out, other_left_out)
    strings = SymmetryStringTransformer().transform(list(data.structures[joined["rows"]]))
    model = ensemble.applicability_
    elements, novelty = [elements_of(string) for string in strings], model.score(strings)
    unseen = np.array([not one <= set(model.elements_) for one in elements])
    scores = {**score_left_out(prop, ensemble, joined), "members": {}, "mae_alone": float(alone)}
    n_rows = len(joined["rows"])
    text = (
        f"The {prop.label} is fitted on the training rows of the official fold 0, and set to 0 "
        f"where the probability of {other['name']} is above 0.5. Intervals come from the test rows "
        f"of this fold, scores from the {n_rows:,} of them that {other['name']} was not fitted on "
        "either."
    )
    return {
        **card,
        "zero_if": {"name": other["name"], "model": other["model"]},
        "protocol": {**card["protocol"], "text": text},
        "scores": scores,
        **group_errors(prop, elements, novelty, unseen, joined),
    }


def join_left_out(prop, left_out, other):
    """Return the rows that are left out in both, with joint predictions.

    Parameters
    ----------
    prop : Property
        Of the number.
    left_out, other : dict of str to ndarray
        As for `join_card`.

    Returns
    -------
    joined : dict of str to ndarray
    alone : float
        Mean absolute error of the number without the class.

    Raises
    ------
    ValueError
        If a row is 0 but not of the class, or the reverse.
    """
    numbers, other_numbers = _numbers(left_out["ids"]), _numbers(other["ids"])
    _, here, there = np.intersect1d(numbers, other_numbers, return_indices=True)
    target, probability = left_out["target"][here], other["predicted"][there]
    if not np.array_equal(target == 0, other["target"][there].astype(bool)):
        raise ValueError("the two tables do not list the same crystals in the same order.")
    predicted = np.maximum(left_out["predicted"][here], prop.lowest)
    alone = np.abs(predicted - target).mean()
    bounds = {"value": predicted, "lower": np.ones(len(here)), "upper": predicted}
    found = join(bounds, probability, COVERAGE)
    joined = {
        "rows": left_out["rows"][here],
        "fold": left_out["fold"][here],
        "target": target,
        "predicted": found["value"],
        "covered": left_out["covered"][here] | ((target == 0) & (found["lower"] == 0)),
    }
    return joined, alone


def _numbers(ids):
    """Return the numbers of official ids such as ``mb-mp-gap-000001``."""
    return np.array([int(str(name).rsplit("-", 1)[1]) for name in ids])
