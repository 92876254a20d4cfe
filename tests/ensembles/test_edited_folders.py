"""Folders edited by hand, with checksums that fit: an error when they are loaded, no prediction."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sklearn_cloud import (
    CrystalClassifier,
    CrystalRegressor,
    ModelFolderError,
    load_model,
    save_model,
)
from sklearn_cloud.downloads import sha256_of
from sklearn_cloud.estimators.folder_files import MODEL_FILE, checksum


@pytest.fixture(scope="module")
def folders(table, tmp_path_factory):
    """Saved regressors, with and without refit, and a classifier."""
    from small_members import classification, regression

    from sklearn_cloud.ensembles import crystal_classifier, crystal_regressor

    _, formulas, gaps = table
    home = tmp_path_factory.mktemp("ensembles")
    options = {"effort": "fast", "cv": 3, "random_state": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crystal_regressor, "regression_members", regression)
        patch.setattr(crystal_classifier, "classification_members", classification)
        models = {
            "regressor": CrystalRegressor(**options).fit(formulas, gaps),
            "folds": CrystalRegressor(refit=False, **options).fit(formulas, gaps),
            "classifier": CrystalClassifier(**options).fit(formulas, gaps > 2),
        }
    for name, model in models.items():
        save_model(model, home / name)
    return home


@pytest.fixture
def edited(folders, tmp_path):
    """Load a copy of a folder after a change of its fitted state and of its arrays."""

    def load(name, change):
        folder = shutil.copytree(folders / name, tmp_path / name)
        path, arrays_path = folder / MODEL_FILE, next(folder.glob("arrays-*"))
        content, arrays = json.loads(path.read_text()), load_file(arrays_path)
        change(Fitted(content["model"]["state"], arrays))
        save_file(arrays, arrays_path)
        facts = {"bytes": arrays_path.stat().st_size, "sha256": sha256_of(arrays_path)}
        next(f for f in content["files"] if f["name"] == arrays_path.name).update(facts)
        content["sha256"] = checksum(content)
        path.write_text(json.dumps(content))
        return load_model(folder)

    return load


class Fitted:
    """The JSON of a fitted state, and its arrays."""

    def __init__(self, state, arrays):
        self.state, self.arrays = state, arrays

    def pairs(self, name):
        return self.state[name]["items"]

    def array(self, name, part=None):
        state = self.state[part]["state"] if part else self.state
        return self.arrays[state[name]["name"]]

    def replace(self, name, array, part=None):
        state = self.state[part]["state"] if part else self.state
        self.arrays[state[name]["name"]] = np.ascontiguousarray(array)


def set_weight(value):
    def change(fitted):
        fitted.pairs("weights_")[0][1] = value

    return change


def set_array(name, change, part=None):
    return lambda fitted: fitted.replace(name, change(fitted.array(name, part).copy()), part)


def first_is(value):
    def change(array):
        array.flat[0] = value
        return array

    return change


APPLICABILITY = "applicability_"
CHANGES = {
    "sum of the weights": (set_weight(0.9999), "weights are not a mean"),
    "negative weight": (set_weight(-0.5), "weights are not a mean"),
    "weight NaN": (set_weight({"type": "float", "value": "nan"}), "weights are not finite"),
    "weight of text": (set_weight("1"), "weights are not finite"),
    "no weight": (lambda f: f.pairs("weights_").clear(), "a member has no weight"),
    "no members": (lambda f: f.pairs("members_").clear(), "numbers of models"),
    "no models": (lambda f: f.pairs("members_")[0][1].clear(), "numbers of models"),
    "no view of a member": (lambda f: f.pairs("view_of_member_").clear(), "has no view"),
    "other view": (
        lambda f: f.pairs("view_of_member_")[0].__setitem__(1, "os"),
        "a view is unknown",
    ),
    "no views": (lambda f: f.pairs("views_").clear(), "strings"),
    "no transformers": (lambda f: f.pairs("views_")[1][1].clear(), "a view is empty"),
    "kind of crystals": (lambda f: f.state.update(reads_structures_=7), "reads_structures_"),
    "no applicability": (lambda f: f.state.update(applicability_=None), "vectors_"),
    "vectors NaN": (set_array("vectors_", first_is(np.nan), APPLICABILITY), "vectors_ are not"),
    "vectors too narrow": (set_array("vectors_", lambda a: a[:, :1], APPLICABILITY), "shape"),
    "no vectors": (set_array("vectors_", lambda a: a[:0], APPLICABILITY), "no training crystals"),
    "other elements": (
        lambda f: f.state["applicability_"]["state"]["elements_"].append("Xx"),
        "elements_ has other words",
    ),
    "scores NaN": (set_array("scores_", first_is(np.nan)), "scores_ are not finite"),
    "negative scores": (set_array("scores_", first_is(-1)), "scores_ are not errors"),
    "fewer scores": (set_array("scores_", lambda a: a[:5]), "fold_of_score_ is wrong"),
    "error NaN": (
        lambda f: f.state.update(expected_error_={"type": "float", "value": "nan"}),
        "expected_error_ are not finite",
    ),
    "no floor": (lambda f: f.state["difficulty_"]["state"].update(floor_=0.0), "negative"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_edited_regressors_are_refused(name, edited):
    change, message = CHANGES[name]
    with pytest.raises(ModelFolderError, match=message):
        edited("regressor", change)


@pytest.mark.parametrize("fold", [-1, 3])
def test_folds_without_a_model_are_refused(fold, edited):
    with pytest.raises(ModelFolderError, match="a fold has no model"):
        edited("folds", set_array("fold_of_score_", first_is(fold)))


def test_a_model_of_a_fold_is_missing(edited):
    with pytest.raises(ModelFolderError, match="numbers of models"):
        edited("folds", lambda f: f.pairs("members_")[0][1].pop())


def test_classes_that_are_equal(edited):
    def change(fitted):
        fitted.state["classes_"] = {
            "type": "array", "dtype": "<U5", "shape": [2], "values": ["a", "a"]
        }  # fmt: skip

    with pytest.raises(ModelFolderError, match="classes_ are not distinct"):
        edited("classifier", change)


@pytest.mark.parametrize("name", ["regressor", "folds", "classifier"])
def test_nothing_changed(name, edited):
    assert len(edited(name, lambda fitted: None).predict(["LiF", "NaCl"])) == 2
