"""explain_dataset: importance of tokens, elements or parts of the string over many crystals."""

from collections import Counter, defaultdict

import numpy as np
from tqdm.auto import tqdm

from ..crystals.crystal import ELEMENT_RANK
from ..estimators import CloudClassifier, CloudRegressor
from ..estimators.pipelines import last_step, read_table
from .attributions import check_method, explain_row
from .tokens import SPECIAL


def explain_dataset(
    model, X, *, by="token", method="integrated_gradients", target=None, n_steps=32, verbose=0
):
    """Explain the predictions of a data set by groups of tokens.

    Every crystal is explained as by `explain_prediction`. Within a crystal, the attributions of all
    tokens of a group are summed; their absolute values are averaged over the crystals that have the
    group.

    Parameters
    ----------
    model : CloudRegressor, CloudClassifier or Pipeline
        The fitted model, or a pipeline that ends in one.
    X : array-like of shape (n_crystals,)
        Input of ``model``: symmetry strings, or crystals for a pipeline.
    by : {"token", "element", "part"}, default="token"
        The groups: equal tokens in the same part of the string; chemical elements, with their
        atomic fractions and positions; or generator string, sites and composition.
    method, target, n_steps
        As in `explain_prediction`. With ``target=None``, a classifier is explained for the
        predicted class of each crystal.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per group, largest first, with the columns

        mean_abs
            Mean absolute attribution of the group, in the unit of the prediction.
        mean
            Mean attribution: whether the group raises or lowers the prediction.
        n_crystals
            Number of crystals with the group; means over few crystals are noisy.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As `explain_prediction`, or if ``by`` is invalid.

    Examples
    --------
    >>> from sklearn_cloud import CloudRegressor
    >>> from sklearn_cloud.explanations import explain_dataset
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    >>> model = CloudRegressor(max_epochs=2, random_state=0).fit(strings, [8.5, 3.6, 1.1] * 4)
    >>> table = explain_dataset(model, strings, by="element")
    >>> sorted(table.index), table["n_crystals"].tolist()
    (['Cl', 'Na', 'S', 'Si', 'Zn'], [4, 4, 4, 4, 4])
    """
    import pandas as pd

    estimator = last_step(model, (CloudRegressor, CloudClassifier))
    check_method(method, n_steps)
    if by not in _GROUPS:
        raise ValueError(f"by must be one of {', '.join(map(repr, _GROUPS))}, got {by!r}")
    table = read_table(model, X)
    counts = Counter(zip(table.strings, map(tuple, table.numbers.tolist()), strict=True))
    sums, weights = defaultdict(list), defaultdict(list)
    for row, count in tqdm(counts.items(), disable=not verbose, unit="string"):
        explanation = explain_row(estimator, row, method, target, n_steps)
        for group, attribution in _add_up(explanation, _GROUPS[by]).items():
            sums[group].append(attribution)
            weights[group].append(count)
    rows = [
        (
            np.average(np.abs(sums[group]), weights=weights[group]),
            np.average(sums[group], weights=weights[group]),
            sum(weights[group]),
        )
        for group in sums
    ]
    table = pd.DataFrame(rows, _index(sums, by), columns=["mean_abs", "mean", "n_crystals"])
    return table.sort_values("mean_abs", ascending=False, kind="stable")


def _add_up(explanation, groups_of):
    """Return the sum of the attributions of each group of tokens in a string."""
    sums = defaultdict(float)
    groups = groups_of(explanation.tokens, explanation.parts)
    for group, attribution in zip(groups, explanation.attributions, strict=True):
        if group is not None:
            sums[group] += attribution
    return sums


def _tokens(tokens, parts):
    return [None if p == SPECIAL else (p, t) for t, p in zip(tokens, parts, strict=True)]


def _parts(tokens, parts):
    return [None if part == SPECIAL else part for part in parts]


def _elements(tokens, parts):
    groups = []
    for token, part in zip(tokens, parts, strict=True):
        if token in ELEMENT_RANK and part in ("sites", "composition"):
            groups.append(token)
        else:
            # An atomic fraction belongs to the element before it, a Wyckoff symbol to none.
            groups.append(groups[-1] if part == "composition" else None)
    return groups


_GROUPS = {"token": _tokens, "element": _elements, "part": _parts}


def _index(groups, by):
    import pandas as pd

    if by == "token":
        return pd.MultiIndex.from_tuples(groups, names=["part", "token"])
    return pd.Index(groups, name=by)
