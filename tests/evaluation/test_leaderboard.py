import importlib
import math
import shutil
import sys
from pathlib import Path

import pytest

from sklearn_cloud.evaluation import (
    leaderboard,
    markdown_table,
    published_scores,
    result_scores,
    same_rows,
    scores_in_table,
    threshold_scores,
)
from sklearn_cloud.evaluation.leaderboard import TABLES
from sklearn_cloud.evaluation.results import add_fold, open_result, result_path, write_result

TIMES = dict(seconds_fit=2.0, seconds_predict=0.5, n_train=8, n_test=2)
SCRIPTS = Path(__file__).parents[2] / "benchmarks/tables"


def make(folder, scores, benchmark="matbench", task="jdft2d", model="mine", **options):
    """Write a result with one score per fold; `scores` lists the folds that are finished."""
    details, members = options.pop("details", None), options.pop("members", None)
    options = {"rows": 10, "configuration": {"seed": 0}} | options
    path = result_path(folder, benchmark, task, model)
    result = open_result(path, benchmark=benchmark, task=task, model=model, **options)
    for fold, entry in enumerate(scores):
        entry = entry if isinstance(entry, dict) else {"mae": entry}
        measured = {"members": members[fold]} if members else {}
        add_fold(result, fold, entry, **TIMES, **measured)
    result.provenance = {"command": "python benchmarks/matbench.py", "date": "2026-11-22"}
    if details:
        result.details = details
    write_result(path, result)
    return path


def row_of(table, model):
    (line,) = [line for line in table.splitlines() if f"| {model} |" in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_published_scores_are_facts_with_a_source():
    scores = published_scores()
    assert scores["value"].notna().all() and scores["source"].str.len().min() > 10
    assert not scores.duplicated(["benchmark", "task", "model", "metric"]).any()
    by_task = scores[scores["source"] == "CLOUD paper, Table 1"].groupby("task")["model"].nunique()
    assert len(by_task) == 8 and set(by_task) == {11}


def test_finder_of_the_paper_is_the_composition_version():
    """The structure version of the leaderboard has 0.032 eV on perovskites, the paper 0.645."""
    assert leaderboard("matbench").loc[("Structure-agnostic", "Finder"), "perovskites"] == 0.645


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_each_of_its_columns(name):
    table = leaderboard(name)
    assert table.notna().any().all()
    assert table.index.is_unique and table.index.names == ["kind", "model"]
    assert len(markdown_table(name).splitlines()) == len(table) + 2


def test_marks_of_table_1():
    table = markdown_table("matbench")
    cloud, slices = row_of(table, "CLOUD (paper)"), row_of(table, "SLICES-BERT")
    assert cloud[2] == "**35.0057 (11.4550)**"
    assert slices[2] == "<u>37.8586 (10.9928)</u>"
    assert row_of(table, "MODNet v0.1.12")[2] == "*33.1920 (7.3430)*"
    assert row_of(table, "coGN")[2] == "37.1652 (13.6825)"
    # a tie is shared, and the next one is second
    assert cloud[5] == "**0.0873 (0.0028)**"
    assert row_of(table, "MatInFormer")[5] == "**0.0873 (0.0019)**"
    assert slices[5] == "<u>0.0932 (0.0015)</u>"


def test_marks_follow_the_direction_of_the_metric():
    lines = markdown_table("matbench_discovery")
    first, mace = row_of(lines, "SevenNet"), row_of(lines, "MACE")
    assert first[2] == "**0.719**" and first[8] == "**0.046**" and mace[9] == "<u>0.099</u>"
    assert "MAE ↓ | RMSE ↓ | R² ↑" in lines


def test_own_results_stand_beside_the_published(tmp_path):
    make(tmp_path, [30.0, 32.0, 34.0, 30.0, 34.0])
    assert leaderboard("matbench", tmp_path).loc[("Coordinate-free", "mine"), "jdft2d"] == 32.0
    table = markdown_table("matbench", tmp_path)
    # best of all, and best of those without coordinates
    assert row_of(table, "mine")[2] == f"***32.0000 ({math.sqrt(3.2):.4f})***"
    assert row_of(table, "mine")[3] == "–"
    assert row_of(table, "mine")[-1] == "this library"
    assert row_of(table, "CLOUD (paper)")[-1] == "published"
    assert row_of(table, "CLOUD (paper)")[2] == "<u>35.0057 (11.4550)</u>"


@pytest.mark.parametrize(
    ("scores", "options", "cell"),
    [
        ([1.0], {}, "1.0000 [fold 0 only]"),
        ([1.0, 3.0], {}, "2.0000 (1.0000) [folds 0, 1 only]"),
        ([1.0] * 5, {"coverage": 0.9999}, "1.0000 (0.0000) [99.9 % of rows]"),
        ([1.0], {"coverage": 0.962}, "1.0000 [96.2 % of rows; fold 0 only]"),
    ],
)
def test_partial_results_are_noted_and_not_ranked(tmp_path, scores, options, cell):
    make(tmp_path, scores, **options)
    table = markdown_table("matbench", tmp_path)
    assert row_of(table, "mine")[2] == cell
    assert row_of(table, "CLOUD (paper)")[2] == "**35.0057 (11.4550)**"
    assert ("Coordinate-free", "mine") not in leaderboard("matbench", tmp_path).index
    assert "mine" in scores_in_table("matbench", tmp_path)["model"].tolist()


def test_reconstruction_is_noted(tmp_path):
    make(tmp_path, [2.0] * 5, benchmark="unconvbench", task="supercon", rows=1056, coverage=None)
    cell = row_of(markdown_table("unconvbench", tmp_path), "mine")[6]
    assert cell == "2.0000 (0.0000) [reconstruction, 1,056 rows]"


def test_same_model_twice_is_refused(tmp_path):
    make(tmp_path, [30.0] * 5, model="CLOUD")
    with pytest.raises(ValueError, match="CLOUD has more than one mae of jdft2d"):
        leaderboard("matbench", tmp_path)


def test_unknown_table():
    with pytest.raises(ValueError, match="unknown table 'imagenet'; the tables are matbench, "):
        leaderboard("imagenet")


def test_other_files_are_passed_over_but_damaged_ones_are_not(tmp_path):
    (tmp_path / "canonical_strings.json").write_text('{"crystals": 5000}')
    (tmp_path / "notes.txt").write_text("no result")
    assert len(result_scores(tmp_path)) == 0
    assert leaderboard("matbench", tmp_path).equals(leaderboard("matbench"))
    (tmp_path / "matbench_jdft2d_mine.json").write_text('{"schema": 1, "bench')
    with pytest.raises(ValueError, match="matbench_jdft2d_mine.json is damaged or truncated"):
        result_scores(tmp_path)


def test_thresholds(tmp_path):
    published = threshold_scores()
    assert published.loc[(-0.05, "CLOUD", ""), "daf"] == 2.903
    thresholds = {"-0.05": {"f1": 0.4}, "0.0": {"f1": 0.5, "mae": 3.0}}
    make(
        tmp_path,
        [{"f1": 0.5}],
        benchmark="matbench_discovery",
        task="wbm",
        n_folds=1,
        coverage=None,
        details={"thresholds": thresholds},
    )
    scores = threshold_scores(tmp_path)
    note = "reconstruction, 10 rows"
    assert scores.loc[(-0.05, "mine", note), "f1"] == 0.4
    assert scores.loc[(0.0, "mine", note), "f1"] == 0.5
    assert list(scores.columns) == ["f1", "daf", "precision", "accuracy", "tpr", "tnr"]


def test_peers_are_compared_on_the_same_folds(tmp_path):
    partial = dict(task="dielectric", coverage=0.9, rows=9)
    make(tmp_path, [1.0, 2.0, 6.0, 6.0, 6.0], "matbench_recorded", model="peer", **partial)
    make(tmp_path, [2.0, 4.0], model="mine", **partial)
    make(tmp_path, [2.0], model="started", **partial)
    make(tmp_path, [2.0, 2.0], model="fewer", **partial | {"rows": 8, "coverage": 0.8})
    frame = same_rows(tmp_path).set_index("model")
    assert frame["value"].to_dict() == {"peer": 1.5, "mine": 3.0, "started": 2.0, "fewer": 2.0}
    assert set(frame["folds"]) == {"0, 1"}
    notes = {"peer": "", "mine": "", "started": "folds 0 only", "fewer": "8 rows"}
    assert frame["note"].to_dict() == notes
    # peers on part of the rows do not enter the table of published scores
    assert "peer" not in scores_in_table("matbench", tmp_path)["model"].tolist()


def test_page_is_the_same_when_written_again(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    results, out = tmp_path / "results", tmp_path / "docs"
    make(results, [30.0, 31.0])
    make(
        results,
        [{"f1": 0.5, "roc_auc": 0.8}],
        benchmark="matbench_discovery",
        task="wbm",
        n_folds=1,
        coverage=None,
        details={
            "roc": {"fpr": [0, 0.1, 1], "tpr": [0, 0.7, 1]},
            "rolling": {"e_above_hull": [0, 0.1], "mae": [0.1, 0.2], "sem": [0.01, 0.02]},
        },
    )
    monkeypatch.syspath_prepend(SCRIPTS)
    script = importlib.import_module("leaderboard")
    monkeypatch.setattr(sys, "argv", ["leaderboard.py", f"--results={results}", f"--out={out}"])

    def run():
        script.main()
        return {path.name: path.read_bytes() for path in out.rglob("*.*")}

    first = run()
    assert {"leaderboard.md", "matbench.png", "discovery_roc.png"} <= set(first)
    text = first["leaderboard.md"].decode()
    assert "30.5000 (0.5000) [folds 0, 1 only]" in text
    assert "`python benchmarks/matbench.py`" in text
    shutil.rmtree(out)
    assert run() == first


def test_frames_can_be_changed_without_harm():
    scores = published_scores()
    scores["value"] = 0.0
    assert leaderboard("unconvbench").to_numpy().min() > 0


def test_members_of_an_ensemble(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    script = importlib.import_module("leaderboard")
    assert script.members_table(tmp_path) == ""
    folds = [{"trees": 3.0, "network": 1.0}, {"trees": 5.0}]
    members = [
        {name: {"weight": 1 / len(fold), "scores": {"mae": mae}} for name, mae in fold.items()}
        for fold in folds
    ]
    make(tmp_path, [2.0, 5.0], members=members)
    table = script.members_table(tmp_path)
    assert "| jdft2d | mine | trees | 0.75 | 4.0000 (1.0000) | 0, 1 |" in table
    assert "| jdft2d | mine | network | 0.25 | 1.0000 (0.0000) | 0 |" in table
    assert table in script.page(tmp_path, [])
