"""Folders that version 0.1 wrote load, and predict what they predicted then."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sklearn_cloud import (
    CloudRegressor,
    ModelFolderError,
    SymmetryStringTransformer,
    load_model,
    save_model,
)

FOLDERS = Path(__file__).parents[1] / "data/models_0_1"
EXPECTED = json.loads((FOLDERS / "expected.json").read_text())
FORMULAS = EXPECTED["formulas"]


def same(found, name):
    # other machines and versions of torch round in other places, and so do other addresses
    np.testing.assert_allclose(found, EXPECTED[name], rtol=1e-6, atol=1e-6)


def test_estimator():
    strings = SymmetryStringTransformer(parts=["composition"]).fit_transform(FORMULAS)
    model = CloudRegressor.from_pretrained(FOLDERS / "regressor")
    same(model.predict(strings), "regressor")
    assert (model.head_layers, model.patience, model.n_outputs_) == (2, 2, 2)
    same(load_model(FOLDERS / "regressor").predict(strings), "regressor")


def test_pipelines():
    same(load_model(FOLDERS / "pipeline").predict(FORMULAS), "pipeline")
    model = load_model(FOLDERS / "classifier")
    same(model.predict_proba(FORMULAS), "classifier")
    assert model[-1].classes_.tolist() == ["narrow", "wide"]
    assert model[-1].class_weight == {"wide": 2.0, "narrow": 1.0}


@pytest.mark.parametrize("name", ["regressor", "pipeline", "classifier"])
def test_saved_anew(name, tmp_path):
    """The old files make room for the new ones, and nothing changes."""
    shutil.copytree(FOLDERS / name, tmp_path / "model")
    model = load_model(tmp_path / "model")
    save_model(model, tmp_path / "model")
    files = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert [name.split("-")[0] for name in files] == ["arrays", "crystal_model.json"]
    strings = SymmetryStringTransformer(parts=["composition"]).fit_transform(FORMULAS)
    X = strings if name == "regressor" else FORMULAS
    again = load_model(tmp_path / "model")
    method = "predict_proba" if name == "classifier" else "predict"
    np.testing.assert_array_equal(getattr(again, method)(X), getattr(model, method)(X))


def _edit(path, key, value):
    content = json.loads(path.read_text())
    part = content
    for name in key[:-1]:
        part = part[name]
    part[key[-1]] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("file", "key", "value", "message"),
    [
        ("crystal_model.json", ["strings", "noise"], 1, "unexpected parameters of the strings"),
        ("crystal_model.json", ["estimator"], "CloudClassifier", "unexpected estimator"),
        ("estimator.json", ["params", "noise"], 1, "noise"),
        ("estimator.json", ["class"], "Pipeline", "not an estimator"),
        ("estimator.json", ["module", "config", "EncoderConfig", "n_layers"], 10**5, "n_layers"),
        ("estimator.json", ["module", "config", "EncoderConfig", "width"], 10**6, "width"),
        ("estimator.json", ["module", "head_layers"], 10**9, "head_layers"),
        ("estimator.json", ["fitted", "target_scale_", "ndarray"], [float("nan")], "scales"),
        ("estimator.json", ["versions", "state"], 99, "unknown versions"),
    ],
)
def test_edited_folders_are_refused(file, key, value, message, tmp_path):
    shutil.copytree(FOLDERS / "pipeline", tmp_path / "model")
    _edit(tmp_path / "model" / file, key, value)
    with pytest.raises(ModelFolderError, match=message):
        load_model(tmp_path / "model")


@pytest.mark.parametrize(
    "file",
    ["crystal_model.json", "estimator.json", "model.safetensors", "symmetry_tokenizer.json"],
)
def test_cut_off_files_are_refused(file, tmp_path):
    shutil.copytree(FOLDERS / "pipeline", tmp_path / "model")
    path = tmp_path / "model" / file
    content = path.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 3):
        path.write_bytes(content[:length])
        with pytest.raises(ModelFolderError):
            load_model(tmp_path / "model")
