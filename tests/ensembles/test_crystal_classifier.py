import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_cloud import CrystalClassifier, load_model, save_model


def test_classes_and_probabilities(table, tmp_path):
    crystals, _, y = table
    labels = np.where(y > 2, "wide", "narrow")
    model = CrystalClassifier(cv=3, random_state=0).fit(crystals, labels)
    assert model.classes_.tolist() == ["narrow", "wide"]
    probabilities = model.predict_proba(crystals)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (model.predict(crystals) == model.classes_[probabilities.argmax(axis=1)]).all()
    assert model.score(crystals, labels) > 0.9
    assert 0.6 < model.expected_accuracy_ <= 1
    assert model.expected_accuracy_ >= min(model.member_accuracies_.values()) - 0.05
    save_model(model, tmp_path / "model")
    np.testing.assert_array_equal(
        load_model(tmp_path / "model").predict_proba(crystals), probabilities
    )


def test_bad_targets(table):
    crystals, _, y = table
    model = CrystalClassifier("fast", cv=3)
    with pytest.raises(ValueError, match="only one class: 'a'"):
        model.fit(crystals, ["a"] * len(y))
    with pytest.raises(ValueError, match="class 'b' has 2 rows, fewer than the cv=3 folds"):
        model.fit(crystals, ["b"] * 2 + ["a"] * (len(y) - 2))
    with pytest.raises(ValueError, match="class 'b' has 4 rows, fewer than the cv=5 folds"):
        CrystalClassifier("fast").fit(crystals, ["b"] * 4 + ["a"] * (len(y) - 4))
    with pytest.raises(ValueError, match="NaN in row 0"):
        model.fit(crystals, [None] + ["a"] * (len(y) - 1))


def test_a_fold_without_a_class(table):
    crystals, _, y = table
    labels = np.repeat(["b", "a"], [40, len(y) - 40])
    # the only column, of "b", would be taken for that of "a": an accuracy of 100 %
    model = CrystalClassifier("fast", cv=[(np.arange(40), np.arange(40, 60))])
    with pytest.raises(ValueError, match="fold 0 of cv is fitted without the class 'a'"):
        model.fit(crystals, labels)


def test_a_class_without_weight(table):
    crystals, _, y = table
    labels = np.where(y > 2, "wide", "narrow")
    with pytest.raises(ValueError, match="fitted without the class 'wide'"):
        CrystalClassifier("fast", cv=3).fit(crystals, labels, sample_weight=(y <= 2) * 1.0)


def test_a_failed_fit_leaves_no_model_of_other_classes(table):
    crystals, _, y = table
    model = CrystalClassifier("fast", cv=3, random_state=0).fit(crystals, y > 2)
    with pytest.raises(ValueError, match="class 'b' has 2 rows"):
        model.fit(crystals, ["b"] * 2 + ["a"] * (len(y) - 2))
    with pytest.raises(NotFittedError):
        model.predict(crystals)
