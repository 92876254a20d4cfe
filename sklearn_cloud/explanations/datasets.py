"""explain_dataset: which tokens, elements or parts of the string matter over many crystals."""

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
    """What predictions rest on over a data set.

    Every crystal is explained as by `explain_prediction`. Within a crystal, the attributions of
    all tokens of a group are added; over the crystals that have the group, their sizes are
    averaged.

    Parameters
    ----------
    model : CloudRegressor, CloudClassifier or Pipeline
        Fitted; a pipeline ends in one of the two.
    X : array-like of shape (n_crystals,)
        What ``model`` predicts from: symmetry strings, or crystals for a pipeline.
    by : {"token", "element", "part"}, default="token"
        What the groups are: equal tokens in the same part of the string; chemical elements, with
        their atomic fraction and where they sit; or generator string, sites and composition.
    method, target, n_steps
        As in `explain_prediction`. With ``target=None`` a classifier is explained for the class
        that it predicts, crystal by crystal.
    verbose : int, default=0
        Above 0 shows a progress bar.

    Returns
    -------
    pandas.DataFrame
        One row per group, largest first, with the columns

        mean_abs
            Mean size of the group's attribution, in the unit of the prediction.
        mean
            Mean with its sign: does the group raise or lower the prediction?
        n_crystals
            Crystals that have it; few of them make a noisy mean.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As `explain_prediction`, or if ``by`` is something else.

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
    """Sum of the attributions in each group of tokens of one string."""
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
            # An atomic fraction goes with the element before it, a Wyckoff symbol with none.
            groups.append(groups[-1] if part == "composition" else None)
    return groups


_GROUPS = {"token": _tokens, "element": _elements, "part": _parts}


def _index(groups, by):
    import pandas as pd

    if by == "token":
        return pd.MultiIndex.from_tuples(groups, names=["part", "token"])
    return pd.Index(groups, name=by)
