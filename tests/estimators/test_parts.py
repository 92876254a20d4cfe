"""Many strings are predicted in parts: memory does not grow with all that is made of them."""

import numpy as np
import pytest

from sklearn_cloud import CloudRegressor
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import string_input

ELEMENTS = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Sc")
STRINGS = [f"1a 1b | {a} 0.5 {b} 0.5" for a in ELEMENTS for b in ("F", "Cl", "Br", "I")]
TABLE = np.column_stack([np.array(STRINGS, dtype=object), np.arange(40.0)])
SHAPE = EncoderConfig(n_layers=1, n_heads=2, width=16)


@pytest.fixture(scope="module", params=["strings", "numbers"])
def fitted(request):
    X = STRINGS if request.param == "strings" else TABLE
    return CloudRegressor(SHAPE, max_epochs=1, random_state=0).fit(X, np.arange(40.0)), X


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(string_input, "PART", 7)


def test_predictions_are_those_of_one_part(fitted, monkeypatch):
    model, X = fitted
    expected = model.predict(X)
    monkeypatch.setattr(string_input, "PART", 7)
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-5)


def test_parts_depend_neither_on_the_order_nor_on_repetitions(fitted, small_parts):
    model, X = fitted
    X = np.asarray(X, dtype=object)
    expected = model.predict(X)
    rows = np.random.default_rng(0).integers(40, size=100)
    rows = np.concatenate([rows, np.arange(40)])
    np.testing.assert_array_equal(model.predict(X[rows]), expected[rows])


def test_one_part_at_a_time_is_read(fitted, small_parts, monkeypatch):
    model, X = fitted
    sizes, read = [], CloudRegressor._read
    monkeypatch.setattr(
        CloudRegressor, "_read", lambda self, rows: (sizes.append(len(rows)), read(self, rows))[1]
    )
    model.predict(X)
    assert sizes == [7] * 5 + [5]


def test_errors_name_the_row_of_all_strings(small_parts):
    model = CloudRegressor(SHAPE, max_epochs=1, random_state=0).fit(STRINGS, np.arange(40.0))
    wrong = [*STRINGS[:33], "1a | Xx 1.0", *STRINGS[33:]]
    with pytest.raises(ValueError, match="Row 33: Token 'Xx'"):
        model.predict(wrong)
