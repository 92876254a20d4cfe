import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from oxides import make_strings
from pymatgen.core import Lattice, Structure
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.utils import compute_class_weight
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from test_contract import TINY, expected_failures, row_to_string

from sklearn_cloud import CloudClassifier, SymmetryStringTransformer
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor
from sklearn_cloud.training import estimator
from sklearn_cloud.training.targets import WeightedCrossEntropy

CONFIG = EncoderConfig(n_layers=1, n_heads=2, width=32)
SITES = ["4a", "2a 2b", "8c"]
LABELS = {
    "str": np.array(["insulator", "metal", "semimetal"]),
    "int": np.array([-3, 7, 12]),
    "bool": np.array([False, True]),
    "object": np.array(["insulator", "metal", "semimetal"], dtype=object),
}


@pytest.fixture
def tiny_classifier():
    return CloudClassifier(
        CONFIG, max_epochs=3, learning_rate=3e-3, batch_size=16, dropout=0.0, random_state=0
    )


def labelled(n, labels, seed=0):
    """Strings, and labels that follow the occupied sites; n / 3 rows of each."""
    strings = make_strings(n, seed)[0]
    codes = [SITES.index(string.split(" | ")[1]) for string in strings]
    return strings, labels[np.minimum(codes, len(labels) - 1)]


@pytest.fixture(scope="module")
def fitted_classifier():
    """A classifier of three classes that knows its rule; tests must not change it."""
    return CloudClassifier(
        CONFIG, max_epochs=12, learning_rate=3e-3, batch_size=16, dropout=0.0, random_state=0
    ).fit(*labelled(300, LABELS["str"]))


class NumericCloudClassifier(CloudClassifier):
    """CloudClassifier on rows of numbers, small enough to be trained in a moment."""

    def fit(self, X, y, sample_weight=None):
        if y is None:
            raise ValueError("This estimator requires y to be passed, but the target y is None.")
        X = validate_data(self, X)
        return super().fit([row_to_string(row) for row in X], y, sample_weight)

    def _strings(self, X):
        check_is_fitted(self)
        return [row_to_string(row) for row in validate_data(self, X, reset=False)]

    def predict(self, X):
        return super().predict(self._strings(X))

    def predict_proba(self, X):
        return super().predict_proba(self._strings(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


@parametrize_with_checks(
    [
        NumericCloudClassifier(
            TINY,
            max_epochs=15,
            learning_rate=1e-2,
            batch_size=64,
            dropout=0.0,
            validation_fraction=0,
            random_state=0,
        )
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_every_kind(tiny_classifier, kind):
    labels = LABELS[kind]
    strings, y = labelled(200, labels)
    model = tiny_classifier.set_params(max_epochs=12).fit(strings[:150], y[:150])
    assert model.classes_.tolist() == labels.tolist()
    assert model.classes_.dtype == y.dtype
    assert model.predict(strings).dtype == y.dtype
    # Guessing is right for a third of the rows, of two classes for two thirds.
    assert model.score(strings[150:], y[150:]) > 0.9
    assert model.n_outputs_ == len(labels)


@pytest.mark.parametrize("convert", [list, pd.Series, lambda y: pd.Series(y, dtype="string"),
                                     lambda y: y[:, None]])  # fmt: skip
def test_containers_of_labels_are_alike(tiny_classifier, convert, recwarn):
    strings, y = labelled(60, LABELS["str"])
    expected = tiny_classifier.fit(strings, y).predict_proba(strings)
    assert (tiny_classifier.fit(strings, convert(y)).predict_proba(strings) == expected).all()


def test_probabilities(fitted_classifier):
    strings, y = labelled(300, LABELS["str"], seed=1)
    probabilities = fitted_classifier.predict_proba(strings)
    assert probabilities.shape == (300, 3)
    assert probabilities.dtype == np.float64
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    best = fitted_classifier.classes_[probabilities.argmax(axis=1)]
    assert (best == fitted_classifier.predict(strings)).all()
    assert log_loss(y, probabilities) < 0.3 * np.log(3)


def test_loss_is_the_weighted_cross_entropy():
    rng = np.random.RandomState(0)
    logits, codes, weights = rng.randn(20, 3), rng.randint(3, size=20), rng.rand(20)
    exponentials = np.exp(logits)
    expected = log_loss(
        codes,
        exponentials / exponentials.sum(axis=1, keepdims=True),
        sample_weight=weights,
        labels=[0, 1, 2],
    )
    loss = WeightedCrossEntropy()(
        torch.tensor(logits), (torch.tensor(codes), torch.tensor(weights))
    )
    assert float(loss) == pytest.approx(expected * weights.mean())


def spy_on_training(monkeypatch):
    seen = {}
    train_net = estimator.train_net

    def spy(net_params, weights, train, valid, settings, description):
        seen.update(train=train, valid=valid)
        return train_net(net_params, weights, train, valid, settings, description)

    monkeypatch.setattr(estimator, "train_net", spy)
    return seen


@pytest.mark.parametrize("seed", range(3))
def test_validation_rows_are_stratified(tiny_classifier, monkeypatch, seed):
    seen = spy_on_training(monkeypatch)
    strings = [f"O {i / 100}" for i in range(100)]
    y = np.repeat(["a", "b", "c"], [70, 28, 2])[np.random.RandomState(seed).permutation(100)]
    tiny_classifier.set_params(validation_fraction=0.2, max_epochs=1, random_state=seed)
    tiny_classifier.fit(strings, y)
    counts = [np.bincount(seen[k].targets.numpy(), minlength=3) for k in ("train", "valid")]
    assert sum(counts).tolist() == [70, 28, 2]
    assert abs(counts[1][0] - 14) <= 1
    assert abs(counts[1][1] - 6) <= 1
    assert counts[0][2] >= 1
    train, valid = ({tuple(ids) for ids, _ in seen[k].inputs} for k in ("train", "valid"))
    assert (len(train), len(valid), len(train & valid)) == (80, 20, 0)


def test_validation_rows_change_with_the_seed(tiny_classifier, monkeypatch):
    seen = spy_on_training(monkeypatch)
    strings, y = [f"O {i / 100}" for i in range(100)], np.arange(100) % 2
    chosen = []
    for seed in (0, 0, 1):
        tiny_classifier.set_params(random_state=seed, max_epochs=1).fit(strings, y)
        chosen.append(sorted(tuple(ids) for ids, _ in seen["valid"].inputs))
    assert chosen[0] == chosen[1] != chosen[2]


def test_validation_leaves_each_class_a_row(tiny_classifier):
    strings, y = ["O 1.0", "Na 1.0", "O 0.5"], ["a", "b", "b"]
    with pytest.raises(ValueError, match="no training rows of a class.*validation_fraction=0"):
        tiny_classifier.set_params(validation_fraction=0.6).fit(strings, y)
    tiny_classifier.set_params(validation_fraction=0.1).fit(strings, y)
    assert tiny_classifier.set_params(validation_fraction=0).fit(strings, y).n_iter_ == 3


def test_balanced_weights_are_those_of_scikit_learn(tiny_classifier, monkeypatch):
    seen = spy_on_training(monkeypatch)
    strings, y = [f"O {i / 100}" for i in range(80)], np.repeat([0, 1], [60, 20])
    tiny_classifier.set_params(class_weight="balanced", validation_fraction=0, max_epochs=1)
    tiny_classifier.fit(strings, y)
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=y)[y]
    np.testing.assert_allclose(seen["train"].weights, expected, rtol=1e-6)
    tiny_classifier.set_params(class_weight={1: 3.0}).fit(strings, y)
    expected = np.where(y == 1, 3.0, 1.0)
    np.testing.assert_allclose(seen["train"].weights, expected / expected.mean(), rtol=1e-6)


@pytest.mark.parametrize(
    ("class_weight", "expected"), [(None, 0.1), ("balanced", 0.5), ({True: 81.0}, 0.9)]
)
def test_class_weights_move_the_probabilities(tiny_classifier, class_weight, expected):
    # What cannot be told apart has the probability that minimises the weighted cross-entropy.
    strings, y = ["O 1.0"] * 100, np.arange(100) < 10
    tiny_classifier.set_params(
        class_weight=class_weight, validation_fraction=0, batch_size=100, max_epochs=60
    )
    probability = tiny_classifier.fit(strings, y).predict_proba(strings[:1])[0, 1]
    assert probability == pytest.approx(expected, abs=0.03)


def test_class_weight_names_labels(tiny_classifier):
    strings, y = labelled(60, LABELS["str"])
    plain = tiny_classifier.fit(strings, y).predict_proba(strings)
    tiny_classifier.set_params(class_weight=dict.fromkeys(LABELS["str"], 5.0))
    np.testing.assert_allclose(
        tiny_classifier.fit(strings, y).predict_proba(strings), plain, rtol=1e-5
    )
    weights = {"metal": 1e4}
    mostly = tiny_classifier.set_params(class_weight=weights).fit(strings, y)
    assert (mostly.predict(strings) == "metal").all()
    assert weights == {"metal": 1e4}


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({"metal": -1.0}, "class_weight must be non-negative"),
        ({"glass": 2.0}, "glass|class_weight"),
        ("uniform", "class_weight"),
    ],
)
def test_bad_class_weights(tiny_classifier, class_weight, message):
    strings, y = labelled(60, LABELS["str"])
    with pytest.raises(ValueError, match=message):
        tiny_classifier.set_params(class_weight=class_weight).fit(strings, y)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a", "a", "a"], "at least 2 classes.*only one class: 'a'|only one class: np.str_..a"),
        (["a", None, "b"], "NaN in row 1 .1 rows"),
        ([1.0, 0.0, np.nan], "NaN in row 2"),
        (pd.Series(["a", pd.NA, "b"], dtype="string"), "NaN in row 1"),
        ([0.1, 0.2, 0.3], "[Uu]nknown label type"),
        (["a", "b"], "X has 3 rows, y has 2"),
        (np.zeros((3, 2)), "1d array"),
        (None, "requires y to be passed"),
    ],
)
def test_bad_labels(tiny_classifier, y, message):
    with pytest.raises(ValueError, match=message):
        tiny_classifier.fit(["O 1.0", "Na 1.0", "O 0.5"], y)


def test_one_class_after_the_weights(tiny_classifier):
    with pytest.raises(ValueError, match="only one class where sample_weight is above zero"):
        tiny_classifier.fit(["O 1.0", "Na 1.0", "O 0.5"], [0, 1, 1], sample_weight=[0, 1, 1])


def test_rows_without_weight_are_as_good_as_absent(tiny_classifier):
    strings, y = labelled(60, LABELS["str"])
    tiny_classifier.set_params(validation_fraction=0, class_weight="balanced")
    expected = tiny_classifier.fit(strings, y).predict_proba(strings)
    more, labels = [*strings, *["Li 1.0"] * 20], np.r_[y, ["metal"] * 20]
    weights = np.r_[np.ones(60), np.zeros(20)]
    assert (tiny_classifier.fit(more, labels, weights).predict_proba(strings) == expected).all()


def test_pickle_and_save_pretrained(fitted_classifier, tmp_path):
    strings = labelled(300, LABELS["str"])[0]
    expected = fitted_classifier.predict_proba(strings)
    copy = pickle.loads(pickle.dumps(fitted_classifier))
    assert (copy.predict_proba(strings) == expected).all()
    fitted_classifier.save_pretrained(tmp_path)
    read = CloudClassifier.from_pretrained(tmp_path)
    assert (read.predict_proba(strings) == expected).all()
    assert (read.predict(strings) == fitted_classifier.predict(strings)).all()
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    with pytest.raises(ValueError, match="contains a CloudClassifier, not a CloudRegressor"):
        CloudRegressor.from_pretrained(tmp_path)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_and_class_weights_survive_json(tiny_classifier, tmp_path, kind):
    labels = LABELS[kind]
    strings, y = labelled(60, labels)
    weights = {label: float(i + 1) for i, label in enumerate(labels.tolist())}
    model = tiny_classifier.set_params(class_weight=weights, max_epochs=1).fit(strings, y)
    model.save_pretrained(tmp_path)
    read = CloudClassifier.from_pretrained(tmp_path)
    assert read.get_params() == model.get_params()
    assert read.classes_.dtype == model.classes_.dtype
    assert read.predict(strings).tolist() == model.predict(strings).tolist()
    assert read.fit(strings, y).predict(strings).tolist() == model.predict(strings).tolist()


def test_crystals_in_a_pipeline(tiny_classifier):
    fcc = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    structures = [
        Structure(Lattice.cubic(5.5), [cation] * 4 + [anion] * 4, [*fcc, *(fcc + shift)])
        for cation in ("Li", "Na", "K", "Rb")
        for anion in ("F", "Cl")
        for shift in (0.25, [0.5, 0, 0])
    ]
    prototypes = ["zinc blende", "rock salt"] * 8
    model = make_pipeline(
        SymmetryStringTransformer(),
        tiny_classifier.set_params(max_epochs=20, validation_fraction=0),
    )
    scoring = ["accuracy", "balanced_accuracy", "f1_macro", "roc_auc"]
    results = cross_validate(
        model, structures, prototypes, cv=StratifiedKFold(2), scoring=scoring, error_score="raise"
    )
    assert results["test_accuracy"].mean() == 1.0
    assert np.isfinite(results["test_roc_auc"]).all()


def test_unfitted(tiny_classifier):
    with pytest.raises(NotFittedError):
        tiny_classifier.predict_proba(["O 1.0"])
    with pytest.raises(NotFittedError):
        tiny_classifier.predict(["O 1.0"])
