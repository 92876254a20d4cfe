"""How a predictor is made from a MatBench table: fit on its official folds, measure, write a card.

Small tables: the scores are those of the five official folds, the shipped model is fitted on all
rows, and its intervals come from the errors of the five folds. Large tables (`HELD_OUT_ROWS`): the
shipped model is fitted on the training rows of the official fold 0; its scores and its intervals
come from the test rows of that fold.
"""

import time

import numpy as np

from ..ensembles.crystal_classifier import CrystalClassifier
from ..ensembles.crystal_regressor import CrystalRegressor
from ..evaluation.metrics import classification_scores, regression_scores
from .error_tables import COVERAGE, error_tables, measured_coverage
from .properties import find_property
from .published import best_published

HELD_OUT_ROWS = 10_000  # tables with more rows use a single fold


def new_ensemble(prop, folds, *, members=None, device=None, n_jobs=None, seed=0, verbose=0):
    """Return the unfitted ensemble of a property.

    Parameters
    ----------
    prop : Property
    folds : list of (ndarray, ndarray)
        Training and left-out rows. With a single fold, its model is the final one.
    members : sequence of str, default=None
        Names of the members; None means those of the property.
    device, n_jobs, verbose
        As in `CrystalRegressor`.
    seed : int, default=0

    Returns
    -------
    CrystalRegressor or CrystalClassifier
    """
    kind = CrystalClassifier if prop.classes else CrystalRegressor
    return kind(
        members=members or prop.members,
        cv=folds,
        refit=len(folds) > 1,
        device=device,
        n_jobs=n_jobs,
        random_state=seed,
        verbose=verbose,
    )


def train_predictor(name, data, *, provenance=None, **options):
    """Fit the predictor of a property on its table.

    Parameters
    ----------
    name : str
        Name of the property.
    data : Bunch
        Its table, from `fetch_matbench`.
    provenance : dict, default=None
        Command, versions and machine, for the card.
    **options
        See `new_ensemble`.

    Returns
    -------
    ensemble : CrystalRegressor or CrystalClassifier
        Fitted; it predicts what the table has (the logarithm of a modulus).
    card : dict
        What is written to ``card.json``.
    left_out : dict of str to ndarray
        The rows that were left out, with their targets, predictions and folds.
    """
    prop = find_property(name)
    held_out = len(data.target) > HELD_OUT_ROWS
    folds = data.folds[:1] if held_out else data.folds
    start = time.perf_counter()
    ensemble = new_ensemble(prop, folds, **options).fit(list(data.structures), data.target)
    seconds = time.perf_counter() - start
    left_out = _left_out(prop, ensemble, data, folds)
    card = {
        "name": name,
        **describe_property(prop),
        "data": _describe_data(prop, data, ensemble),
        "protocol": _describe_protocol(ensemble, data, folds),
        "scores": score_left_out(prop, ensemble, left_out),
        **error_tables(prop, data, folds, left_out),
        "published": best_published(prop),
        "seconds": round(seconds),
        **(provenance or {}),
    }
    return ensemble, card, left_out


def _left_out(prop, ensemble, data, folds):
    """Return targets, predictions and folds of the rows left out, and whether they are covered."""
    fold_of_row = np.full(len(data.target), -1)
    for number, (_, test) in enumerate(folds):
        fold_of_row[test] = number
    rows = np.flatnonzero(fold_of_row >= 0)
    found = {"rows": rows, "fold": fold_of_row[rows], "target": np.asarray(data.target)[rows]}
    if prop.classes:
        return {**found, "predicted": ensemble.oof_probabilities_[rows, 1]}
    covered = measured_coverage(ensemble.scores_, found["fold"], COVERAGE)
    predicted = ensemble.oof_predictions_[rows]
    if prop.lowest is not None:
        predicted = np.maximum(predicted, prop.lowest)
    return {**found, "predicted": predicted, "covered": covered}


def describe_property(prop):
    """Return the texts of a property for the card."""
    return {
        "label": prop.label,
        "unit": prop.unit,
        "needs": prop.needs,
        "kind": "classification" if prop.classes else "regression",
        "transform": "log10" if prop.log10 else None,
        "method": prop.method,
        "note": prop.note,
    }


def _describe_data(prop, data, ensemble):
    target = np.asarray(data.target, dtype=float)
    return {
        "table": f"MatBench v0.1, matbench_{prop.task}",
        "source": "A. Dunn et al., npj Computational Materials 6, 138 (2020), "
        "doi:10.1038/s41524-020-00406-3",
        "licence": "MIT (MatBench); data of the Materials Project: CC-BY 4.0",
        "rows": len(target),
        "official_rows": int(data.n_official),
        "elements": ensemble.applicability_.elements_,
        "target": {
            "unit": data.unit,
            **{f"{q}%": float(np.percentile(target, q)) for q in (0, 5, 50, 95, 100)},
        },
    }


def _describe_protocol(ensemble, data, folds):
    n_train = len(folds[0][0])
    if len(folds) > 1:
        text = (
            f"Scores: {len(folds)} official folds. The model is fitted on all {len(data.target):,} "
            "rows; its intervals come from the errors of the folds."
        )
    else:
        text = (
            f"The model is fitted on the {n_train:,} training rows of the official fold 0. Scores "
            f"and intervals come from its {len(folds[0][1]):,} test rows."
        )
    return {
        "text": text,
        "folds": len(folds),
        "estimator": type(ensemble).__name__,
        "weights": ensemble.weights_,
        "fit_seconds": ensemble.seconds_,
    }


def score_left_out(prop, ensemble, left_out):
    """Return the scores in the unit of the table: mean over the folds, as MatBench has it."""
    score = classification_scores if prop.classes else regression_scores
    parts = [left_out["fold"] == fold for fold in np.unique(left_out["fold"])]
    folds = [score(left_out["target"][part], left_out["predicted"][part]) for part in parts]
    names = ("accuracy", "balanced_accuracy", "f1", "rocauc") if prop.classes else ("mae", "rmse")
    scores = {name: float(np.mean([fold[name] for fold in folds])) for name in names}
    main = names[0]
    scores["folds"] = [fold[main] for fold in folds]
    if prop.classes:
        share = float(np.mean(left_out["target"]))
        return {
            **scores,
            "of_most_frequent_class": max(share, 1 - share),
            "members": ensemble.member_accuracies_,
        }
    median = np.median(left_out["target"])
    return {
        **scores,
        "of_median": float(np.abs(left_out["target"] - median).mean()),
        "members": ensemble.member_errors_,
        "nominal_coverage": COVERAGE,
        "coverage": float(left_out["covered"].mean()),
        **_in_unit(prop, left_out),
    }


def _in_unit(prop, left_out):
    """Return the errors in the unit of the predictions, where the table has logarithms."""
    if not prop.log10:
        return {}
    true, predicted = 10 ** left_out["target"], 10 ** left_out["predicted"]
    errors = np.abs(predicted - true)
    return {
        "mae_in_unit": float(errors.mean()),
        "median_relative_error": float(np.median(errors / true)),
    }
