"""Damaged and hostile folders are one documented error; a write that fails leaves the old model."""

import builtins
import json
import os
import pickle
import shutil
import zipfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_pipeline

from sklearn_cloud import (
    CloudRegressor,
    ModelFolderError,
    SymmetryStringTransformer,
    load_model,
    save_model,
)
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.downloads import sha256_of
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import folder_files
from sklearn_cloud.estimators.folder_files import MODEL_FILE, checksum
from sklearn_cloud.estimators.skops_files import check_trees

FORMULAS = ["NaCl", "KCl", "KBr", "MgO", "CaO", "LiF"]
GAPS = [8.5, 8.4, 7.4, 7.8, 7.1, 13.6]
TINY = EncoderConfig(n_layers=1, n_heads=1, width=8, intermediate=8, max_positions=16)


def fitted(seed=0):
    transformer = SymmetryStringTransformer(parts=["composition"])
    model = make_pipeline(transformer, CloudRegressor(TINY, max_epochs=1, random_state=seed))
    return model.fit(FORMULAS, GAPS)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    save_model(fitted(), folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def refused(folder, message=None):
    with pytest.raises(ModelFolderError, match=message):
        load_model(folder)


def rewrite(folder, change):
    """Change a description as somebody would who knows of its checksum."""
    path = folder / MODEL_FILE
    content = json.loads(path.read_text())
    change(content)
    content["sha256"] = checksum(content)
    path.write_text(json.dumps(content))


def rewrite_arrays(folder, change):
    path = next(folder.glob("arrays-*"))
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path)

    def stamp(content):
        content["files"][0] |= {"bytes": path.stat().st_size, "sha256": sha256_of(path)}

    rewrite(folder, stamp)


def test_files_cut_off(folder):
    for path in list(folder.iterdir()):
        whole = path.read_bytes()
        for length in (0, 1, len(whole) // 2, len(whole) - 3):
            path.write_bytes(whole[:length])
            refused(folder)
        path.unlink()
        refused(folder)
        path.write_bytes(whole)
    load_model(folder)


def test_a_flipped_bit(folder):
    path = next(folder.glob("arrays-*"))
    content = bytearray(path.read_bytes())
    content[-5] ^= 64
    path.write_bytes(content)
    refused(folder, "SHA-256 differs")


def test_an_edited_description(folder):
    path = folder / MODEL_FILE
    path.write_text(path.read_text().replace('"target": "target"', '"target": "gap"'))
    refused(folder, "changed after it was written")


def walk(node, path=()):
    """Paths to everything in a JSON."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from walk(value, (*path, key))


def at(content, path):
    for key in path[:-1]:
        content = content[key]
    return content, path[-1]


REPLACEMENTS = [..., None, -1, "x", [], {}, {"type": "x"}, 10**30]


def replace(content, path, value):
    """Put a value in the place of another; the Ellipsis removes it."""
    part, key = at(content["model"], path)
    if value is ... and isinstance(part, dict):
        del part[key]
    else:
        part[key] = None if value is ... else value


@pytest.mark.filterwarnings("ignore:Trying to unpickle")
def test_every_key_removed_or_replaced(folder):
    """With a right checksum: the model loads, or it is the documented error."""
    original = (folder / MODEL_FILE).read_text()
    paths = [path for path in walk(json.loads(original)["model"]) if len(path) < 9]
    n_refused = 0
    for number, path in enumerate(paths):
        for value in REPLACEMENTS[number % 3 :: 3]:
            (folder / MODEL_FILE).write_text(original)
            rewrite(folder, partial(replace, path=path, value=value))
            try:
                load_model(folder)
            except ModelFolderError:
                n_refused += 1
    assert n_refused > len(paths)


def node_of_cloud(content):
    return content["model"]["params"]["steps"][1]["items"][1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_layers", 10**5),
        ("width", 2**20),
        ("intermediate", 2**30),
        ("vocabulary_size", 10**12),
        ("max_positions", 10**12),
    ],
)
def test_sizes_are_compared_before_anything_is_built(name, value, folder, monkeypatch):
    def build(*arguments, **options):
        raise AssertionError("a net was built")

    def enlarge(content):
        net = dict(node_of_cloud(content)["state"]["net_"]["items"])
        config = dict(net["module_params"]["items"])["config"]
        config["fields"][name] = value

    monkeypatch.setattr("sklearn_cloud.training.net.build_net", build)
    rewrite(folder, enlarge)
    refused(folder, "does not match its weights")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda node: node["params"].update(magic=1), "no parameter 'magic'"),
        (lambda node: node["params"].update(batch_size=-3), "batch_size"),
        (lambda node: node.update({"class": "Popen"}), "not an estimator"),
        (lambda node: node["state"].update(predict=1), "no fitted attribute 'predict'"),
        (lambda node: node["state"].update(__class__=1), "no fitted attribute '__class__'"),
        (lambda node: node["state"]["tokenizer_"].update(sha256="0" * 64), "its vocabulary"),
    ],
)
def test_unknown_parameters_and_classes(change, message, folder):
    rewrite(folder, lambda content: change(node_of_cloud(content)))
    refused(folder, message)


@pytest.mark.parametrize(
    "value", [0.0, -1.0, {"type": "float", "value": "nan"}, {"type": "float", "value": "inf"}]
)
def test_scales_that_cannot_be_right(value, folder):
    def change(content):
        targets = node_of_cloud(content)["state"]["targets_"]
        targets["state"]["scale"]["values"] = [value]

    rewrite(folder, change)
    refused(folder, "scale")


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "infinite or NaN"), (-np.inf, "infinite or NaN"), (1e30, "above 1e")],
)
def test_weights_that_cannot_be_right(folder, value, message):
    def spoil(arrays):
        next(array for name, array in arrays.items() if "embeddings" in name)[0] = value

    rewrite_arrays(folder, spoil)
    refused(folder, message)


def test_missing_and_surplus_weights(folder):
    rewrite_arrays(folder, lambda arrays: arrays.pop(next(iter(arrays))))
    refused(folder)


def test_pipes_and_devices_are_not_read(folder):
    path = next(folder.glob("arrays-*"))
    for name in (path.name, MODEL_FILE):
        (folder / name).unlink()
        (folder / name).symlink_to("/dev/zero")
        refused(folder, "not a regular file")
        (folder / name).unlink()
        os.mkfifo(folder / name)
        refused(folder, "not a regular file")


def test_files_elsewhere_are_not_read(folder):
    name = json.loads((folder / MODEL_FILE).read_text())["files"][0]["name"]
    rewrite(folder, lambda content: content["files"][0].update(name=f"../model/{name}"))
    refused(folder, "names an unexpected file")


def test_other_versions(folder):
    rewrite(folder, lambda content: content.update(format_version=3))
    refused(folder, "incompatible version")


def test_deep_json(folder):
    (folder / MODEL_FILE).write_text('{"format_version": 2, "model": ' + "[" * 100_000)
    refused(folder)
    rewrite_to = {"type": "x"}
    for _ in range(300):
        rewrite_to = [rewrite_to]
    (folder / MODEL_FILE).write_text('{"format_version": 2, "files": []}')
    rewrite(folder, lambda content: content.update(model=rewrite_to))
    refused(folder)


def test_types_that_skops_does_not_trust(tmp_path):
    """A skops file with a function of os: refused, and nothing is run."""
    import skops.io as skops

    trees = ExtraTreesRegressor(2, random_state=0)
    save_model(make_pipeline(ElementFractions(), trees).fit(FORMULAS, GAPS), tmp_path)
    path = next(tmp_path.glob("part-*"))
    skops.dump(os.getcwd, path)

    def stamp(content):
        content["files"][0] |= {"bytes": path.stat().st_size, "sha256": sha256_of(path)}

    rewrite(tmp_path, stamp)
    refused(tmp_path, "not trusted")
    assert not any(name.endswith(".pkl") for name in zipfile.ZipFile(path).namelist())


def test_trees_that_lead_out_of_their_arrays():
    model = make_pipeline(ElementFractions(), ExtraTreesRegressor(1, random_state=0))
    forest = model.fit(FORMULAS, GAPS)[-1]
    check_trees(forest, "file")
    for field, value in [("left_child", 10**6), ("right_child", 0), ("feature", 118)]:
        copy = pickle.loads(pickle.dumps(forest))
        tree = copy.estimators_[0].tree_
        state = tree.__getstate__()
        state["nodes"][field][0] = value
        tree.__setstate__(state)
        with pytest.raises(ValueError, match="damaged tree"):
            check_trees(copy, "file")


# A process can be killed at any of these calls; each fails here once.
CALLS = [(os, "replace"), (os, "fsync"), (builtins, "open"), (Path, "unlink")]


@pytest.mark.parametrize("failing", range(1, 6))
@pytest.mark.parametrize(("place", "name"), CALLS)
def test_a_write_that_fails_leaves_one_whole_model(place, name, failing, folder, monkeypatch):
    old, new = load_model(folder), fitted(seed=1)
    expected = [model.predict(FORMULAS).tolist() for model in (old, new)]
    original, calls = getattr(place, name), []

    def fail(*arguments, **options):
        calls.append(arguments)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        return original(*arguments, **options)

    with monkeypatch.context() as patch, suppress(OSError):
        patch.setattr(place, name, fail)
        save_model(new, folder)
    assert load_model(folder).predict(FORMULAS).tolist() in expected
    save_model(new, folder)
    assert load_model(folder).predict(FORMULAS).tolist() == expected[1]
    assert len(list(folder.iterdir())) == 2


def test_a_new_folder_appears_when_it_is_complete(tmp_path, monkeypatch):
    (tmp_path / ".model.1234.part").mkdir()  # what a killed process left
    write, seen = folder_files.write_file, []

    def watch(path, data):
        seen.append((tmp_path / "model").exists())
        if path.name == MODEL_FILE and len(seen) == 2:
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(folder_files, "write_file", watch)
    with pytest.raises(OSError, match="No space left"):
        save_model(fitted(), tmp_path / "model")
    assert not list(tmp_path.iterdir())
    save_model(fitted(), tmp_path / "model")
    assert seen == [False] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_kill_between_two_files_leaves_the_old_model(folder, monkeypatch):
    """Nothing is cleaned up, as after kill -9; the next write does."""
    expected = load_model(folder).predict(FORMULAS)
    write = folder_files.write_file

    def killed(path, data):
        path.with_name(f".{path.name}.1.part").write_bytes(data[:10])
        if path.name == MODEL_FILE:
            raise KeyboardInterrupt
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(folder_files, "write_file", killed)
        with pytest.raises(KeyboardInterrupt):
            save_model(fitted(seed=1), folder)
    np.testing.assert_array_equal(load_model(folder).predict(FORMULAS), expected)
    assert len(list(folder.iterdir())) > 3
    save_model(fitted(seed=1), folder)
    assert len(list(folder.iterdir())) == 2
