import bz2
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sklearn_cloud.evaluation import rescore_recorded
from sklearn_cloud.evaluation.predictions import (
    check_predictions,
    read_predictions,
    write_predictions,
)

NAN = float("nan")


def test_ids_with_commas_and_quotes(tmp_path):
    ids = ["a,b", 'c"d', "plain"]
    write_predictions(tmp_path / "fold_0.csv.gz", ids, [1.0, 2.0, 3.0])
    assert read_predictions(tmp_path / "fold_0.csv.gz") == (ids, [1.0, 2.0, 3.0])


def test_round_trip(tmp_path):
    path = tmp_path / "fold_0.csv.gz"
    write_predictions(path, ["b", "a"], [0.1 + 0.2, -1e-20])
    assert read_predictions(path) == (["b", "a"], [0.1 + 0.2, -1e-20])
    before = path.read_bytes()
    write_predictions(path, ["b", "a"], np.array([0.1 + 0.2, -1e-20]))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("ids", "predictions", "message"),
    [
        (["a", "b", "a"], [1.0, 2.0, 3.0], "the id a is predicted more than once"),
        (["a", "b"], [1.0, NAN], "the prediction of b is nan"),
        (["a", "b"], [1.0, float("inf")], "the prediction of b is inf"),
        (["a"], [1.0], r"the predictions lack 1 id\(s\), e.g. b"),
        (["a", "b", "c"], [1.0, 1.0, 1.0], r"have unexpected 1 id\(s\), e.g. c"),
        (["a", "b"], [1.0], "there are 2 ids but 1 predictions"),
    ],
)
def test_bad_predictions(ids, predictions, message):
    with pytest.raises(ValueError, match=message):
        check_predictions(ids, predictions, ["a", "b"])


def test_nothing_is_written_of_bad_predictions(tmp_path):
    path = tmp_path / "fold_0.csv.gz"
    with pytest.raises(ValueError, match="the prediction of a is nan"):
        write_predictions(path, ["a"], [NAN])
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,target,prediction\na,1.0,2.0\na,1.0,2.0\n", "more than once"),
        ("id,target,prediction\na,1.0,nan\n", "the prediction of a is nan"),
        ("id,target,prediction\na,1.0\n", "not a valid file of predictions"),
        ("id,target\na,1.0\n", "not a valid file of predictions"),
        ("id,target,prediction\na,1.0,x\n", "not a valid file of predictions"),
    ],
)
def test_bad_file(tmp_path, text, message):
    path = tmp_path / "fold_0.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(ValueError, match=message):
        read_predictions(path)


def test_cut_file(tmp_path):
    path = tmp_path / "fold_0.csv.gz"
    write_predictions(path, [f"id{n}" for n in range(500)], range(500))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match="not a valid file of predictions"):
        read_predictions(path)


@pytest.fixture
def submission(tmp_path):
    """A recorded submission with one regression and one classification."""
    path = tmp_path / "results.json.gz"
    regression = {
        "fold_0": {"data": {"a": 1.0, "b": 2.0, "c": 9.0}},
        "fold_1": {"data": {"d": 4.0}},
    }
    labels = {"fold_0": {"data": {"a": True, "b": False, "c": True}}}
    tasks = {
        "matbench_toy": {"results": regression},
        "matbench_metal": {"results": labels},
    }
    path.write_bytes(gzip.compress(json.dumps({"tasks": tasks}).encode()))
    return path


def test_rescoring_takes_the_chosen_rows_only(submission):
    targets = {"a": 1.5, "b": 2.0, "c": 0.0, "d": 2.0}
    scores = rescore_recorded(submission, "toy", [["b", "a"], ["d"]], targets)
    assert [fold["mae"] for fold in scores] == [0.25, 2.0]
    metal = rescore_recorded(
        submission,
        "matbench_metal",
        [["a", "b"]],
        {"a": True, "b": False},
        task_type="classification",
    )
    assert metal[0]["accuracy"] == 1.0


def test_rescoring_needs_each_id_in_its_fold(submission):
    with pytest.raises(ValueError, match=r"no prediction for 1 id\(s\) in fold 1 of toy, e.g. a"):
        rescore_recorded(submission, "toy", [["b"], ["a"]], {"a": 1.0, "b": 1.0})
    with pytest.raises(ValueError, match="does not contain matbench_steels"):
        rescore_recorded(submission, "steels", [["b"]], {"b": 1.0})


def test_other_file_is_no_submission(tmp_path):
    path = tmp_path / "results.json.gz"
    path.write_bytes(gzip.compress(b"[1, 2]"))
    with pytest.raises(ValueError, match="not a recorded MatBench submission"):
        rescore_recorded(path, "toy", [["a"]], {"a": 1.0})
    path.write_bytes(b"plain")
    with pytest.raises(ValueError, match="not a recorded MatBench submission"):
        rescore_recorded(path, "toy", [["a"]], {"a": 1.0})


def recorded(*names):
    """Paths of recorded submissions and the like, or skip."""
    home = os.environ.get("SKLEARN_CLOUD_DATA")
    paths = [Path(home or "none") / name for name in names]
    if not all(path.is_file() for path in paths):
        pytest.skip("needs the recorded MatBench results in SKLEARN_CLOUD_DATA")
    return paths


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("alignn_results.json.gz", "matbench_v0.1_alignn"),
        ("coNGN_results.json.gz", "matbench_v0.1_coNGN"),
        ("Finder_structure_results.json.gz", "matbench_v0.1_Finder_v1.2_structure"),
    ],
)
def test_recorded_scores_come_out_again(file, name):
    submission, folds, scores, table = recorded(
        f"leaderboard/{file}",
        "leaderboard/official_test_ids_by_fold.json.gz",
        "leaderboard/recorded_scores.csv.gz",
        "matbench/targets/matbench_phonons.json.bz2",
    )
    with gzip.open(folds) as stream:
        listed = json.load(stream)["matbench_phonons"]
    with bz2.open(table) as stream:
        columns = json.load(stream)
    (target,) = set(columns) - {"mbid", "composition", "spg_num", "crys_sys"}
    targets = {columns["mbid"][row]: columns[target][row] for row in columns["mbid"]}
    ids = [listed[f"fold_{fold}"] for fold in range(5)]
    found = rescore_recorded(submission, "phonons", ids, targets)

    rows = pd.read_csv(scores)
    rows = rows[(rows["benchmark"] == name) & (rows["task"] == "matbench_phonons")]
    for fold in range(5):
        text = rows.loc[rows["fold"] == f"fold_{fold}", "scores"].item()
        assert found[fold] == pytest.approx(json.loads(text), rel=1e-9)
