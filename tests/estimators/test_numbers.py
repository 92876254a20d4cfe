"""Numbers next to the strings."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from oxides import make_strings
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudClassifier, CloudEmbedder, CloudRegressor, load_model, save_model
from sklearn_cloud.estimators.vectors import string_vectors
from sklearn_cloud.explanations import attention_map, explain_prediction


@pytest.fixture
def table():
    """Strings, and a number that the target depends on; another one that does not matter."""
    strings, _ = make_strings(64, seed=0)
    rng = np.random.RandomState(0)
    return pd.DataFrame({"string": strings, "signal": rng.normal(5, 3, 64), "noise": rng.rand(64)})


@pytest.fixture
def model(tiny):
    return tiny.set_params(max_epochs=40, learning_rate=5e-3, dropout=0.0, validation_fraction=0)


def test_numbers_are_learned_from(model, table):
    y = 100 + 10 * table["signal"]
    error = np.abs(model.fit(table, y).predict(table) - y).mean()
    without = clone(model).fit(table["string"], y)
    assert error < 0.3 * np.abs(without.predict(table["string"]) - y).mean()
    assert model.feature_names_in_.tolist() == ["string", "signal", "noise"]
    assert model.number_names_ == ("signal", "noise")
    np.testing.assert_allclose(model.number_means_, table[["signal", "noise"]].mean())
    np.testing.assert_allclose(model.number_scales_, table[["signal", "noise"]].std(ddof=0))


def test_equal_strings_with_other_numbers_are_told_apart(model):
    hot = pd.DataFrame({"string": ["8a | Si 1.0"] * 60, "kelvin": np.linspace(100, 1000, 60)})
    predicted = model.fit(hot, hot["kelvin"]).predict(hot)
    assert np.corrcoef(predicted, hot["kelvin"])[0, 1] > 0.99


def test_every_kind_of_table_is_read_alike(tiny, table):
    y = np.arange(64.0)
    expected = tiny.fit(table, y).predict(table)
    tables = [
        table.to_numpy(),
        pl.DataFrame(table.to_dict("list")),
        table.astype({"signal": object}),
        table.rename(columns={"string": 0, "signal": 1, "noise": 2}),
    ]
    for other in tables:
        assert (clone(tiny).fit(other, y).predict(other) == expected).all()
    # columns are found by name
    assert (tiny.fit(table, y).predict(table[["noise", "signal", "string"]]) == expected).all()


def test_unknown_numbers_and_strings_alone(tiny, table):
    tiny.fit(table, np.arange(64.0))
    unknown = table.assign(signal=np.nan, noise=np.nan)
    assert (tiny.predict(unknown) == tiny.predict(table["string"])).all()
    assert np.isfinite(tiny.predict(table.assign(noise=np.nan))).all()
    assert (
        tiny.predict(table.assign(noise=None)) == tiny.predict(table.assign(noise=np.nan))
    ).all()
    assert not (tiny.predict(unknown) == tiny.predict(table)).any()


def test_scale_is_that_of_the_training_rows(tiny, table):
    weights = np.r_[np.zeros(32), np.ones(32)]
    tiny.set_params(validation_fraction=0).fit(table, np.arange(64.0), sample_weight=weights)
    assert tiny.number_means_[0] == pytest.approx(table["signal"][32:].mean())


def test_far_numbers_are_clipped(tiny, table):
    tiny.fit(table, np.arange(64.0))
    far, farther = (table.assign(signal=value) for value in (1e6, 1e9))
    assert (tiny.predict(far) == tiny.predict(farther)).all()


def test_copies_predict_the_same(tiny, table, tmp_path):
    expected = tiny.fit(table, np.arange(64.0)).predict(table)
    assert (pickle.loads(pickle.dumps(tiny)).predict(table) == expected).all()
    tiny.save_pretrained(tmp_path)
    assert (CloudRegressor.from_pretrained(tmp_path).predict(table) == expected).all()


def test_refit_with_other_columns(tiny, table):
    y = np.arange(64.0)
    expected = tiny.fit(table["string"], y).predict(table["string"])
    tiny.fit(table, y).fit(table[["string", "noise"]], y)
    assert tiny.number_names_ == ("noise",)
    assert (tiny.fit(table["string"], y).predict(table["string"]) == expected).all()


def test_classifier(tiny, table):
    model = CloudClassifier(tiny.encoder, max_epochs=30, learning_rate=5e-3, random_state=0)
    labels = np.where(table["signal"] > 5, "high", "low")
    assert model.fit(table, labels).score(table, labels) > 0.85


def test_the_encoder_reads_the_numbers(tiny, table):
    model = clone(tiny).fit(table, np.arange(64.0))
    module = model.net_.module_
    assert module.to_token is not None
    row = table.iloc[[0]]
    other = row.assign(signal=row["signal"] + 3)
    vectors = string_vectors(model, pd.concat([row, other]))
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4
    with torch.inference_mode():
        tensors = model._collate([model._read(model._check_rows(row)).distinct[0]])
        described = module.describe(tensors["numbers"])
        outputs = module.predict(module.encode(tensors["input_ids"], described), described)
        same = module(**tensors)
    torch.testing.assert_close(outputs, same)


def test_attention_shows_the_numbers(tiny, table):
    model = make_pipeline("passthrough", clone(tiny)).fit(table, np.arange(64.0))
    attention = attention_map(model, table["string"][0])
    assert attention.tokens[:2] == ("[CLS]", "[numbers]")
    n_tokens = len(attention.tokens)
    assert len(attention.parts) == n_tokens == attention.weights.shape[-1]
    np.testing.assert_allclose(attention.weights.sum(axis=-1), 1, rtol=1e-5)


def test_models_without_the_token_load(tiny, table, tmp_path):
    """Those of earlier versions, whose folders do not mention it."""
    model = clone(tiny)
    model._module = lambda: without_token(tiny, model)
    model.fit(table, np.arange(64.0))
    expected = model.predict(table)
    del model._module
    save_model(model, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.net_.module_.to_token is None
    np.testing.assert_array_equal(loaded.predict(table), expected)


def without_token(kind, model):
    module, arguments = type(kind)._module(model)
    return module, {k: v for k, v in arguments.items() if k != "number_token"}


def test_embedder_passes_the_numbers_on(table):
    embedder = CloudEmbedder().set_output(transform="pandas")
    vectors = embedder.fit_transform(table)
    assert vectors.shape == (64, 130) == (64, len(embedder.get_feature_names_out()))
    np.testing.assert_allclose(vectors.iloc[:, 128], table["signal"], rtol=1e-6)
    copy = pickle.loads(pickle.dumps(embedder))
    assert copy.transform(table).equals(vectors)


def test_in_a_column_transformer(tiny, table):
    columns = make_column_transformer(
        ("passthrough", ["string", "signal"]), verbose_feature_names_out=False
    ).set_output(transform="pandas")
    model = make_pipeline(columns, tiny).fit(table, np.arange(64.0))
    assert model[-1].feature_names_in_.tolist() == ["string", "signal"]
    assert model.predict(table).shape == (64,)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_explanation_adds_up(tiny, table, method):
    model = make_pipeline("passthrough", tiny).fit(table, np.arange(64.0))
    explanation = explain_prediction(model[-1], table["string"][0], method=method)
    alone = model[-1].predict([table["string"][0]])
    assert explanation.prediction == pytest.approx(alone[0], abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signal": np.inf}, "Column 'signal' of X is infinite in row 0 .64 rows.*NaN"),
        ({"signal": np.nan}, "Column 'signal' of X is NaN in every training row"),
        (
            {"signal": "x"},
            "one column of symmetry strings.*2 columns of text.*string, signal, noise",
        ),
        ({"string": 1.0}, "one column of symmetry strings.*0 columns of text"),
        (
            {"signal": [1.0] * 63 + ["cold"]},
            "'signal' of X has 'cold' in row 63, expected a number",
        ),
    ],
)
def test_columns_that_cannot_be_used(tiny, table, change, message):
    with pytest.raises(ValueError, match=message):
        tiny.fit(table.assign(**change), np.arange(64.0))


def test_other_columns_at_predict(tiny, table):
    tiny.fit(table, np.arange(64.0))
    with pytest.raises(ValueError, match="missing .'signal'., unexpected .'sign'."):
        tiny.predict(table.rename(columns={"signal": "sign"}))
    with pytest.raises(ValueError, match="1 columns of numbers.*fitted with 2 .signal, noise"):
        tiny.predict(table[["string", "noise"]].to_numpy())
    tiny.fit(table["string"], np.arange(64.0))
    with pytest.raises(ValueError, match="numbers next to the strings.*fitted on strings only"):
        tiny.predict(table)


def test_rows_of_text_are_checked(tiny, table):
    table.loc[3, "string"] = None
    with pytest.raises(TypeError, match=r"no string in 1 of 64 rows, \[3\]"):
        tiny.fit(table, np.arange(64.0))
    with pytest.raises(ValueError, match="0 sample"):
        tiny.fit(table[:0], [])
