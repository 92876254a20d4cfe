import json

import numpy as np
import pytest

from sklearn_cloud import load_model
from sklearn_cloud.predictors import recipe
from sklearn_cloud.predictors.error_tables import measured_coverage
from sklearn_cloud.predictors.properties import PROPERTIES
from sklearn_cloud.predictors.published import best_published


def test_scores_are_those_of_the_folds(tiny, tables):
    ensemble, card, left_out = tiny[1]["bulk_modulus"]
    data = tables["bulk_modulus"]
    assert np.array_equal(left_out["rows"], np.arange(len(data.target)))
    errors = np.abs(ensemble.oof_predictions_ - data.target)
    expected = np.mean([errors[test].mean() for _, test in data.folds])
    assert card["scores"]["mae"] == pytest.approx(expected)
    assert len(card["scores"]["folds"]) == 3
    assert set(card["scores"]["members"]) == {"boosting", "CLOUD mini"}
    assert 0.7 < card["scores"]["coverage"] <= 1
    in_unit = np.abs(10**ensemble.oof_predictions_ - 10**data.target).mean()
    assert card["scores"]["mae_in_unit"] == pytest.approx(in_unit)


def test_every_row_is_in_one_group(tiny, tables):
    _, card, _ = tiny[1]["bulk_modulus"]
    n_rows = len(tables["bulk_modulus"].target)
    assert sum(group["rows"] for group in card["chemistry"]) == n_rows
    novelty = [*card["novelty"], *card["unseen_elements"]]
    assert sum(group["rows"] for group in novelty) == n_rows


def test_card_of_a_class(tiny, tables):
    _, card, left_out = tiny[1]["experimental_is_metal"]
    target = tables["experimental_is_metal"].target
    accuracy = np.mean((left_out["predicted"] > 0.5) == target)
    assert card["scores"]["accuracy"] == pytest.approx(accuracy, abs=0.02)  # folds of unequal size
    share = max(target.mean(), 1 - target.mean())
    assert card["scores"]["of_most_frequent_class"] == pytest.approx(share)
    json.dumps(card, allow_nan=False)


def test_large_tables_use_a_single_fold(tables, monkeypatch):
    from tiny_predictors import regression

    from sklearn_cloud.ensembles import crystal_regressor

    monkeypatch.setattr(crystal_regressor, "regression_members", regression)
    monkeypatch.setattr(recipe, "HELD_OUT_ROWS", 10)
    data = tables["experimental_band_gap"]
    ensemble, card, left_out = recipe.train_predictor("experimental_band_gap", data)
    train, test = data.folds[0]
    assert np.array_equal(left_out["rows"], np.sort(test))
    assert len(ensemble.members_["boosting"]) == 1
    assert f"{len(train):,} training rows of the official fold 0" in card["protocol"]["text"]
    expected = np.abs(left_out["predicted"] - data.target[left_out["rows"]]).mean()
    assert card["scores"]["mae"] == pytest.approx(expected)


def test_compact_ensembles_predict_the_same(tiny, crystals):
    for name in ("bulk_modulus", "shear_modulus", "highest_phonon_peak", "experimental_is_metal"):
        ensemble, _, _ = tiny[1][name]
        small = load_model(tiny[0] / name)
        rows = list(crystals[0][:20])
        if not ensemble.reads_structures_:
            rows = [structure.reduced_formula for structure in rows]
        before, after = ensemble.predict_all(rows), small.predict_all(rows)
        for key in ("predicted", "lower", "upper", "probabilities"):
            if key in before:
                one, other = before[key].astype(float), after[key].astype(float)
                atol = 2e-3 * max(1, np.abs(one).max())
                np.testing.assert_allclose(one, other, rtol=2e-3, atol=atol)


def test_compact_ensembles_are_small(tiny):
    assert not [path for path in tiny[0].glob("*/*") if path.suffix == ".skops"]
    sizes = [sum(p.stat().st_size for p in folder.iterdir()) for folder in tiny[0].iterdir()]
    assert max(sizes) < 200_000


def test_measured_coverage_calibrates_on_the_other_folds():
    scores = np.r_[np.linspace(0, 1, 100), np.linspace(2, 3, 100)]
    covered = measured_coverage(scores, np.repeat([0, 1], 100), 0.9)
    assert covered[:100].all() and not covered[100:].any()
    covered = measured_coverage(np.random.RandomState(1).rand(2000), np.zeros(2000), 0.9)
    assert covered.mean() == pytest.approx(0.9, abs=0.02)


def test_published_scores_are_the_best():
    assert best_published(PROPERTIES["bulk_modulus"])["value"] == pytest.approx(0.0491)
    assert best_published(PROPERTIES["is_metal"])["metric"] == "rocauc"
