"""ONNX files of fitted networks: onnxruntime predicts what the estimators predict."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudClassifier, CloudRegressor, SymmetryStringTransformer, export_onnx
from sklearn_cloud.encoder import EncoderConfig

STRINGS = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0", "Ga 0.5 As 0.5"] * 4
GAPS = np.array([8.5, 3.6, 1.1, 1.4] * 4)
TINY = EncoderConfig(n_layers=2, n_heads=2, width=16)
FEW = {"max_epochs": 2, "random_state": 0, "device": "cpu"}


def predict_with_onnxruntime(path, model, strings, numbers=None):
    """Token ids of all strings, padded, through the graph."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs sklearn-cloud[onnx]")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    ids = model.tokenizer_.encode_batch(strings)
    input_ids = np.full((len(ids), max(map(len, ids))), model.tokenizer_.pad_id)
    for row, one in zip(input_ids, ids, strict=True):
        row[: len(one)] = one
    inputs = {"input_ids": input_ids} | ({} if numbers is None else {"numbers": numbers})
    (outputs,) = session.run(None, inputs)
    metadata = session.get_modelmeta().custom_metadata_map
    return outputs, {name: json.loads(value) for name, value in metadata.items()}


@pytest.fixture
def exporter():
    pytest.importorskip("onnx", reason="needs sklearn-cloud[onnx]")
    pytest.importorskip("onnxscript", reason="needs sklearn-cloud[onnx]")


def test_the_page(exporter, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime", reason="needs sklearn-cloud[onnx]")
    monkeypatch.chdir(tmp_path)
    # [start export]
    from sklearn_cloud import CloudRegressor, SymmetryStringTransformer, export_onnx
    from sklearn_cloud.datasets import load_example

    crystals, band_gaps = load_example(return_X_y=True)
    strings = SymmetryStringTransformer().fit_transform(crystals)
    model = CloudRegressor(max_epochs=2, random_state=0).fit(strings, band_gaps)
    export_onnx(model, "gaps.onnx")
    # [end export]
    # [start run]
    import json

    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession("gaps.onnx")
    metadata = session.get_modelmeta().custom_metadata_map
    ids = {token: i for i, token in enumerate(json.loads(metadata["vocabulary"]))}

    def encode(string):
        tokens = ["[CLS]"]
        for part in string.split(" | "):
            words = part.split(" ")
            if words[0] in ("0", "1"):  # the generators of the space group
                words = [f"generator:{word}" for word in words]
            tokens += [*words, "|"]
        return [ids[token] for token in [*tokens[:-1], "[SEP]"]]

    def predict(strings):
        rows = [encode(string) for string in strings]
        input_ids = np.full((len(rows), max(map(len, rows))), int(metadata["pad_id"]))
        for padded, row in zip(input_ids, rows):
            padded[: len(row)] = row
        return session.run(None, {"input_ids": input_ids})[0]

    predicted = predict(
        ["1 4 b O O O c O O O d O O O e O O O 0 | 1a Sr 1b Ti 3c O | Sr 0.2 Ti 0.2 O 0.6"]
    )
    # [end run]
    assert predicted.shape == (1,)
    np.testing.assert_allclose(predict(strings), model.predict(strings), rtol=1e-4)
    np.testing.assert_allclose(predict(strings[:1]), model.predict(strings[:1]), rtol=1e-4)
    assert [encode(string) for string in strings] == model.tokenizer_.encode_batch(strings)


@pytest.mark.parametrize("targets", ["one", "several"])
def test_numbers_and_targets(exporter, tmp_path, targets):
    """Numbers pass unscaled, unknown ones as NaN; a constant target is predicted exactly."""
    rng = np.random.RandomState(0)
    table = pd.DataFrame({"string": STRINGS, "cell": rng.normal(300, 5, 16), "bond": rng.rand(16)})
    y = GAPS if targets == "one" else np.c_[GAPS, 1e4 * GAPS**2, np.full(16, 7.25)]
    model = CloudRegressor(TINY, **FEW).fit(table, y)
    numbers = table[["cell", "bond"]].to_numpy(copy=True)
    numbers[0, 1], numbers[1], numbers[2, 0] = np.nan, np.nan, 1e6
    export_onnx(model, tmp_path / "net.onnx")
    found, metadata = predict_with_onnxruntime(tmp_path / "net.onnx", model, STRINGS, numbers)
    table[["cell", "bond"]] = numbers
    np.testing.assert_allclose(found, model.predict(table), rtol=1e-4)
    assert metadata["numbers"] == ["cell", "bond"]


def test_a_pipeline_of_a_classifier(exporter, tmp_path):
    formulas = ["NaCl", "ZnS", "Si", "MgO"] * 4
    model = make_pipeline(SymmetryStringTransformer(), CloudClassifier(TINY, **FEW))
    model.fit(formulas, np.where(GAPS > 2, "wide", "narrow"))
    export_onnx(model, tmp_path / "net.onnx")
    strings = model[0].transform(formulas)
    found, metadata = predict_with_onnxruntime(tmp_path / "net.onnx", model[-1], strings)
    np.testing.assert_allclose(found, model.predict_proba(formulas), rtol=1e-4)
    assert metadata["classes"] == ["narrow", "wide"] == model.classes_.tolist()
    assert metadata["pad_id"] == 0 and metadata["max_tokens"] == TINY.max_positions


def test_what_cannot_be_exported(tmp_path):
    with pytest.raises(TypeError, match="ends in one, got Ridge"):
        export_onnx(make_pipeline(SymmetryStringTransformer(), Ridge()), tmp_path / "net.onnx")
    with pytest.raises(NotFittedError):
        export_onnx(CloudRegressor(TINY), tmp_path / "net.onnx")


def test_without_onnx(tmp_path, monkeypatch):
    model = CloudRegressor(TINY, **FEW).fit(STRINGS, GAPS)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[onnx\]'"):
        export_onnx(model, tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []
