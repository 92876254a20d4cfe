import json
from dataclasses import replace
from pathlib import Path

import pytest

from sklearn_cloud.evaluation.results import (
    add_fold,
    open_result,
    read_result,
    result_path,
    write_result,
)

TIMES = dict(seconds_fit=2.0, seconds_predict=0.5, n_train=8, n_test=2)


def start(path, **changes):
    header = dict(
        benchmark="matbench",
        task="jdft2d",
        model="mine",
        rows=10,
        configuration={"encoder": "small", "learning_rate": 2e-4, "parts": ("sites",)},
    )
    return open_result(path, **header | changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results" / "matbench_jdft2d_mine.json"


@pytest.fixture
def written(path):
    """A result with two of five folds."""
    result = start(path)
    add_fold(result, 1, {"mae": 3.0, "rmse": 4.0}, **TIMES)
    add_fold(result, 0, {"mae": 1.0, "rmse": 4.0}, **TIMES)
    result.provenance = {"command": "python benchmarks/matbench.py"}
    write_result(path, result)
    return result


def test_round_trip(path, written):
    found = read_result(path)
    assert found == written
    assert list(found.folds) == ["0", "1"]
    assert found.summary == {
        "mae": {"mean": 2.0, "std": 1.0},
        "rmse": {"mean": 4.0, "std": 0.0},
    }
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_resuming_keeps_the_finished_folds(path, written):
    again = start(path)
    assert again == written
    with pytest.raises(ValueError, match="fold 1 of jdft2d is finished already"):
        add_fold(again, 1, {"mae": 9.0, "rmse": 9.0}, **TIMES)
    add_fold(again, 2, {"mae": 5.0, "rmse": 4.0}, **TIMES)
    write_result(path, again)
    assert read_result(path).summary["mae"]["mean"] == 3.0


def test_writing_twice_changes_nothing(path, written):
    before = path.read_bytes()
    write_result(path, read_result(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"configuration": {"encoder": "large", "learning_rate": 2e-4}}, "encoder='small', now"),
        ({"configuration": {"encoder": "small"}}, "learning_rate=0.0002, now 'not set'"),
        ({"rows": 9}, "rows 10, now 9"),
        ({"coverage": 0.9}, "coverage 1.0, now 0.9"),
        ({"model": "other"}, "model 'mine', now 'other'"),
        ({"n_folds": 4}, "n_folds 5, now 4"),
    ],
)
def test_another_configuration_is_refused(path, written, changes, message):
    before = path.read_bytes()
    with pytest.raises(ValueError, match="made with another configuration") as error:
        start(path, **changes)
    assert message in str(error.value) and "It is not overwritten" in str(error.value)

    other = replace(written, **changes)
    with pytest.raises(ValueError, match="another configuration"):
        write_result(path, other)
    assert path.read_bytes() == before


def test_folds_are_never_lost(path, written):
    fresh = replace(written, folds={"1": written.folds["1"]})
    with pytest.raises(ValueError, match=r"has fold\(s\) 0 that would be lost"):
        write_result(path, fresh)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_score_is_refused(path, value):
    with pytest.raises(ValueError, match="fold 0: the score mae is .* predictions for NaN"):
        add_fold(start(path), 0, {"mae": value}, **TIMES)


@pytest.mark.parametrize("fold", [5, -1])
def test_unknown_fold_is_refused(path, fold):
    with pytest.raises(ValueError, match="the benchmark has the folds 0 to 4"):
        add_fold(start(path), fold, {"mae": 1.0}, **TIMES)


def test_folds_must_be_scored_alike(path, written):
    with pytest.raises(ValueError, match="do not have the same scores"):
        add_fold(written, 2, {"mae": 1.0}, **TIMES)
    assert list(written.folds) == ["0", "1"]


def without(key):
    return lambda r: r.pop(key)


def with_value(key, value):
    return lambda r: r.update({key: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("schema"), "not a result file: it has no schema"),
        (with_value("mood", "good"), "has unknown entries: mood"),
        (with_value("schema", 2), "has schema 2, but this version reads 1"),
        (without("coverage"), "incomplete: it lacks coverage"),
        (with_value("rows", "10"), "rows has the type str"),
        (with_value("rows", True), "rows has the type bool"),
        (with_value("coverage", 1.2), r"coverage must be in \(0, 1\], got 1.2"),
        (with_value("kind", "Magic"), "kind must be one of"),
        (with_value("summary", {}), "the summary does not match the folds"),
        (lambda r: r["summary"]["mae"].update(mean=1.9), "the summary does not match the folds"),
        (lambda r: r["summary"]["mae"].pop("std"), "the summary does not match the folds"),
        (lambda r: r["folds"]["0"].pop("n_test"), "fold 0 is incomplete: it lacks n_test"),
        (lambda r: r["folds"]["0"].update(scores={}), "fold 0 has no score"),
        (lambda r: r["folds"]["0"]["scores"].update(mae=None), "the score mae is None"),
        (lambda r: r["folds"].update({"7": r["folds"]["0"]}), "fold 7: the benchmark has"),
        (lambda r: r["folds"].update({"2": 3.0}), "fold 2 is not a fold"),
    ],
)
def test_changed_file_is_refused(path, written, change, message):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message) as error:
        read_result(path)
    assert path.name in str(error.value)


@pytest.mark.parametrize("text", ["", "[1]", "{}"])
def test_other_files_are_refused(path, text):
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ValueError, match=path.name):
        read_result(path)


def test_cut_file_is_refused(path, written):
    path.write_text(path.read_text()[:200])
    with pytest.raises(ValueError, match="damaged or truncated"):
        start(path)


def test_file_names(tmp_path):
    found = result_path(tmp_path, "matbench", "jdft2d", "Extra trees, geometry (v1.2)")
    assert found == tmp_path / "matbench_jdft2d_extra-trees-geometry-v1.2.json"
    assert result_path("r", "unconvbench", "2d_e_exf", "m").name == "unconvbench_2d_e_exf_m.json"


STORED = Path(__file__).parents[2] / "benchmarks/results"


@pytest.mark.parametrize("stored", [p.name for p in sorted(STORED.glob("*_*_*.json"))])
def test_stored_results_are_read_and_written_as_they_are(stored, tmp_path):
    text = (STORED / stored).read_text(encoding="utf-8")
    if "schema" not in json.loads(text):
        pytest.skip("another kind of file")
    write_result(tmp_path / stored, read_result(STORED / stored))
    assert (tmp_path / stored).read_text(encoding="utf-8") == text


def test_settings_by_their_names_of_before_the_registry(tmp_path):
    path = tmp_path / "trees.json"
    old = {"model": "chgnet", "head": "extra-trees", "trees": 300, "seed": 0}
    write_result(path, start(path, configuration=old))
    new = {"model": "chgnet-trees", "n_estimators": 300, "random_state": 0}
    assert start(path, configuration=new).configuration == old
    with pytest.raises(ValueError, match="random_state=0, now 1"):
        start(path, configuration={**new, "random_state": 1})


def test_settings_that_a_model_got_later_count_as_their_defaults(tmp_path):
    path, defaults = tmp_path / "roost.json", {"width": 64, "precision": "fp32"}
    write_result(path, start(path, configuration={"width": 32}))
    start(path, configuration={"width": 32, "precision": "fp32"}, defaults=defaults)
    with pytest.raises(ValueError, match="precision='fp32', now 'bf16'"):
        start(path, configuration={"width": 32, "precision": "bf16"}, defaults=defaults)
    with pytest.raises(ValueError, match="width=32, now 64"):
        start(path, configuration=defaults, defaults=defaults)
    with pytest.raises(ValueError, match="precision='not set', now 'fp32'"):
        start(path, configuration={"width": 32, "precision": "fp32"})


def test_digest_differs_with_the_settings(path):
    assert start(path).digest == start(path).digest
    assert start(path).digest != start(path, configuration={"encoder": "mini"}).digest
