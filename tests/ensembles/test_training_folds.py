from functools import partial

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold

from sklearn_cloud import CrystalRegressor
from sklearn_cloud.ensembles.training_folds import make_folds, weighted_parts

Y = np.arange(12.0)


def folds_of(cv):
    return make_folds(cv, Y, stratify=False, random_state=0)


def test_an_integer_means_shuffled_folds():
    folds = folds_of(3)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(12))
    assert folds[0][1].tolist() != [0, 1, 2, 3]
    again = folds_of(3)
    assert all((a[1] == b[1]).all() for a, b in zip(folds, again, strict=True))


@pytest.mark.parametrize("stratify", [False, True])
def test_many_rows_are_split_once(stratify):
    few, many, most = (np.arange(n) % 7 for n in (3000, 3001, 30000))
    make = partial(make_folds, None, stratify=stratify, random_state=0)
    assert len(make(few)) == 5
    for y, n_left_out in [(many, 600), (most, 5000)]:
        ((train, test),) = make(y)
        assert len(test) == n_left_out
        assert sorted([*train, *test]) == list(range(len(y)))


def test_splitters_and_lists():
    expected = [test.tolist() for _, test in KFold(4).split(Y)]
    assert [test.tolist() for _, test in folds_of(KFold(4))] == expected
    groups = np.repeat([0, 1, 2], 4)
    listed = list(GroupKFold(3).split(Y, Y, groups))
    assert len(folds_of(listed)) == 3


def test_an_iterator_gives_its_folds_once():
    folds = KFold(3).split(Y)
    assert len(folds_of(folds)) == 3
    with pytest.raises(ValueError, match="only once: pass a list"):
        folds_of(folds)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (13, "n_samples=12 is fewer than the cv=13 folds"),
        (RepeatedKFold(n_splits=3, n_repeats=2), "leaves out row 0 2 times"),
        ([], "no folds"),
        ([([0, 1], [])], "fold 0 of cv has no rows"),
        ([([0, 1], [2, 12])], "indices outside the 12 rows"),
        ([([0, 1], [1, 2])], "leaves out rows that it also fits on"),
        ([([0.0, 1.0], [2.0])], "fold 0 of cv must be two lists of row numbers"),
        ([([0, 1], [[2], [3]])], "fold 0 of cv must be two lists of row numbers"),
    ],
)
def test_bad_folds(cv, message):
    with pytest.raises(ValueError, match=message):
        folds_of(cv)


def test_masks():
    ((train, test),) = folds_of([(Y < 8, Y >= 8)])
    assert train.tolist() == list(range(8))
    assert test.tolist() == list(range(8, 12))


def test_weights_that_leave_nothing_to_learn_from():
    fold = [(np.arange(8), np.arange(8, 12))]
    with pytest.raises(ValueError, match="0 in all rows that fold 0 is fitted on"):
        weighted_parts(fold, (Y >= 8).astype(float))
    with pytest.raises(ValueError, match="0 in all rows that cv leaves out"):
        weighted_parts(fold, (Y < 8).astype(float))


def test_refit_predicts_with_one_model(table):
    crystals, _, y = table
    model = CrystalRegressor("fast", cv=3, random_state=0).fit(crystals, y)
    folds = CrystalRegressor("fast", cv=3, refit=False, random_state=0).fit(crystals, y)
    used = [name for name, weight in model.weights_.items() if weight > 0]
    assert list(model.members_) == used
    assert {len(models) for models in model.members_.values()} == {1}
    assert model.weights_ == folds.weights_
    assert model.expected_error_ == folds.expected_error_
    # it has seen every row, as all models together have
    assert np.abs(model.predict(crystals) - y).mean() < model.expected_error_
    predictions = model.predict(crystals)
    lower, upper = model.predict_interval(crystals, coverage=0.8).T
    np.testing.assert_allclose((lower + upper) / 2, predictions)
    assert (upper > lower).all()


def test_one_split_calibrates_on_its_left_out_rows(table):
    crystals, _, y = table
    train, test = np.arange(60), np.arange(60, len(y))
    model = CrystalRegressor("fast", cv=[(train, test)], refit=False, random_state=0)
    model.fit(crystals, y)
    assert np.isnan(model.oof_predictions_[train]).all()
    errors = np.abs(model.oof_predictions_[test] - y[test])
    assert model.expected_error_ == pytest.approx(errors.mean())
    assert len(model.scores_) == len(test)
    covered = model.predict_interval(crystals[test], coverage=0.8)
    inside = (covered[:, 0] <= y[test]) & (y[test] <= covered[:, 1])
    # slightly too many: the difficulty has seen these rows
    assert 0.75 <= inside.mean() < 1
