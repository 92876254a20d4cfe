"""Folders of predictors edited by hand, with checksums that fit, are refused when loaded."""

import json
import os
import shutil
import tracemalloc
import warnings

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sklearn_cloud import ModelFolderError
from sklearn_cloud.downloads import sha256_of
from sklearn_cloud.estimators.folder_files import MODEL_FILE, checksum
from sklearn_cloud.predictors import load_card, load_predictor

NAN, INF = {"type": "float", "value": "nan"}, {"type": "float", "value": "inf"}
REGRESSION, CLASSIFICATION, FORMULAS = (
    "bulk_modulus",
    "experimental_is_metal",
    "experimental_band_gap",
)


class Edited:
    """JSON and arrays of a predictor's folder."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / MODEL_FILE
        self.content = json.loads(self.path.read_text())
        self.card = json.loads((folder / "card.json").read_text())
        self.arrays_path = next(folder.glob("arrays-*"))
        self.arrays = load_file(self.arrays_path)
        self.state = self.content["model"]["state"]
        self.params = self.content["model"]["params"]

    def write(self):
        save_file(self.arrays, self.arrays_path)
        facts = {"bytes": self.arrays_path.stat().st_size, "sha256": sha256_of(self.arrays_path)}
        self.content["files"][0].update(facts)
        self.content["sha256"] = checksum(self.content)
        self.path.write_text(json.dumps(self.content))
        if isinstance(self.card, dict):
            self.card["model"] = self.content["sha256"]
            self.card["sha256"] = checksum(self.card)
        (self.folder / "card.json").write_text(json.dumps(self.card))

    @property
    def trees(self):
        return self.state["members_"]["items"][0][1][0]["state"]

    @property
    def difficulty(self):
        return self.state["difficulty_"]["state"]["model_"]["state"]

    @property
    def applicability(self):
        return self.state["applicability_"]

    @property
    def views(self):
        return {name: parts for name, parts in self.state["views_"]["items"]}

    def set_array(self, state, name, change):
        node = state[name]
        stored = "name" in node
        array = self.arrays[node["name"]] if stored else np.array(node["values"], node["dtype"])
        array = np.ascontiguousarray(change(array.copy()))
        if stored:
            self.arrays[node["name"]] = array
        else:
            state[name] = {
                "type": "array", "dtype": array.dtype.str, "shape": array.shape,
                "values": array.tolist(),
            }  # fmt: skip


@pytest.fixture
def edit(tiny, tmp_path):
    """Load a copy of a predictor's folder after a change."""

    def load(change, name=REGRESSION):
        folder = shutil.copytree(tiny[0] / name, tmp_path / name)
        edited = Edited(folder)
        change(edited)
        edited.write()
        return load_predictor(folder)

    return load


def card(**values):
    return lambda edited: edited.card.update(values)


def without(key):
    return lambda edited: edited.card.pop(key)


def trees(name, change):
    """Change an array of the member, or replace a number of it."""
    if callable(change):
        return lambda edited: edited.set_array(edited.trees, name, change)
    return lambda edited: edited.trees.update({name: change})


def first_is(value, dtype=None):
    def change(array):
        array = array.astype(dtype or array.dtype)
        array.flat[0] = value
        return array

    return change


CARDS = {
    "a list": lambda e: setattr(e, "card", [1]),
    "other property": card(name="hardness"),
    "path as name": card(name="../other"),
    "no name": without("name"),
    "no transform": without("transform"),
    "other transform": card(transform=None),
    "other unit": card(unit="psi"),
    "other needs": card(needs="formula"),
    "other kind": card(kind="classification"),
    "no scores": without("scores"),
    "scores are a number": card(scores=1),
    "scores are text": lambda e: e.card["scores"].update(mae="small"),
    "no data": without("data"),
    "elements are a number": lambda e: e.card["data"].update(elements=5),
    "huge size": card(bytes=10**400),
    "no text": card(label=None),
    "no groups": card(chemistry=None),
    "zero where a path says": card(zero_if={"name": "../../etc", "model": "0"}),
    "zero where a number says": card(zero_if={"name": "shear_modulus", "model": "0"}),
    "zero where text says": card(zero_if="is_metal"),
    "zero where nothing says": card(zero_if=None),
}
MODELS = {
    "threshold NaN": trees("value_", first_is(np.nan)),
    "leaves huge": trees("value_", lambda a: a * 0 + 3e38),
    "values 2-D": trees("value_", lambda a: a[:, None]),
    "values cut": trees("value_", lambda a: a[:-1]),
    "values of integers": trees("value_", lambda a: a.astype(int)),
    "feature negative": trees("feature_", lambda a: a.astype(np.int16) * 0 - 5),
    "feature too large": trees("feature_", first_is(60_000, np.uint16)),
    "features of floats": trees("feature_", lambda a: a + 0.5),
    "child outside": trees("right_", first_is(60_000, np.uint16)),
    "children of floats": trees("right_", lambda a: a * 1.0),
    "no roots": trees("first_nodes_", lambda a: a[:0]),
    "roots of floats": trees("first_nodes_", lambda a: a * 1.0),
    "bits cut": trees("missing_left_", lambda a: a[:1]),
    "bits of floats": trees("missing_left_", lambda a: a * 1.0),
    "baseline NaN": trees("baseline_", NAN),
    "baseline infinite": trees("baseline_", INF),
    "baseline huge": trees("baseline_", 1e300),
    "baseline of text": trees("baseline_", "1"),
    "baseline of two": trees("baseline_", [1.0, 2.0]),
    "factor NaN": trees("factor_", NAN),
    "number of features": trees("n_features_in_", 10**12),
    "no values": lambda e: e.trees.pop("value_"),
    "no baseline": lambda e: e.trees.pop("baseline_"),
    "no fitted state": lambda e: e.trees.clear(),
    "shape huge": lambda e: e.trees["first_nodes_"].update(shape=[10**12]),
    "text huge": lambda e: e.trees["first_nodes_"].update(dtype="<U1000000000"),
    "difficulty NaN": lambda e: e.set_array(e.difficulty, "value_", first_is(np.nan)),
    "difficulty missing": lambda e: e.state["difficulty_"]["state"].update(model_=None),
    "difficulty of other features": lambda e: e.difficulty.update(n_features_in_=400),
    "scores missing": lambda e: e.state.pop("scores_"),
    "no neighbors": lambda e: e.applicability["params"].update(n_neighbors=0),
    "neighbors of text": lambda e: e.applicability["params"].update(n_neighbors="5"),
    "other encoder": lambda e: e.applicability["state"].update(encoder_sha256_="0" * 64),
    "no elements": lambda e: e.applicability["state"].update(elements_=[]),
    "vectors of another width": lambda e: [
        e.set_array(e.applicability["state"], name, lambda a: a[:5])
        for name in ("mean_", "directions_")
    ],
    "strings from features": lambda e: e.views["strings"].__setitem__(0, e.views["features"][0]),
    "fewer features": lambda e: e.views["features"].pop(),
    "symprec 0": lambda e: e.views["features"][1]["params"].update(symprec=0),
    "member reads strings": lambda e: e.state["view_of_member_"]["items"][0].__setitem__(
        1, "strings"
    ),
    "member is no model": lambda e: e.state["members_"]["items"][0][1].__setitem__(
        0, e.applicability
    ),
    "member is None": lambda e: e.state["members_"]["items"][0][1].__setitem__(0, None),
    "member is the model itself": lambda e: e.state["members_"]["items"][0][1].__setitem__(
        0, {"type": "same", "id": 0}
    ),
    "model of classes": lambda e: e.content["model"].update({"class": "CrystalClassifier"}),
    "model of features": lambda e: e.content.update(model=e.views["features"][0]),
    "fitted on formulas": lambda e: e.state.update(reads_structures_=False),
}


def refuse(load):
    """Check that loading is refused before anything large is allocated."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelFolderError):
            load()
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", CARDS)
def test_edited_cards_are_refused(name, edit, tmp_path):
    with pytest.raises(ModelFolderError):
        edit(CARDS[name])
    if not name.startswith("zero"):
        with pytest.raises(ModelFolderError):
            load_card(tmp_path / REGRESSION)


@pytest.mark.parametrize("name", MODELS)
def test_edited_models_are_refused(name, edit):
    refuse(lambda: edit(MODELS[name]))


@pytest.mark.parametrize("name", [REGRESSION, CLASSIFICATION, FORMULAS])
def test_unchanged_predictors_are_loaded(name, edit):
    assert edit(lambda edited: None, name).card["name"] == name


def test_the_card_of_another_model(tiny, tmp_path):
    """A classifier with the card of a number."""
    folder = shutil.copytree(tiny[0] / CLASSIFICATION, tmp_path / REGRESSION)
    edited = Edited(folder)
    edited.card = json.loads((tiny[0] / REGRESSION / "card.json").read_text())
    edited.write()
    with pytest.raises(ModelFolderError, match="but its card describes a CrystalRegressor"):
        load_predictor(folder)


def test_rock_salt_is_not_reported(edit):
    """The trial prediction does not warn of elements that no training crystal has."""
    elements = ["Ag", "Al", "As"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        edit(lambda e: e.applicability["state"].update(elements_=elements))


FILES = ("card.json", MODEL_FILE, "arrays-*")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "kind", ["missing", "pipe", "device", "folder", "broken link", "cut", "huge"]
)
def test_damaged_files_are_refused(name, kind, tiny, tmp_path):
    folder = shutil.copytree(tiny[0] / REGRESSION, tmp_path / REGRESSION)
    path = next(folder.glob(name))
    content = path.read_bytes()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "broken link":
        path.symlink_to("nowhere")
    elif kind == "cut":
        path.write_bytes(content[:-10])
    elif kind == "huge":
        with open(path, "wb") as file:
            file.truncate(250_000_000)  # a sparse file
    refuse(lambda: load_predictor(folder))


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"sha256": 1' + "0" * 5000 + "}", "\xff"])
def test_cards_that_are_no_json(text, tiny, tmp_path):
    folder = shutil.copytree(tiny[0] / REGRESSION, tmp_path / REGRESSION)
    (folder / "card.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelFolderError):
        load_predictor(folder)


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    for name in ("file", "missing"):
        with pytest.raises(ModelFolderError):
            load_predictor(tmp_path / name)
