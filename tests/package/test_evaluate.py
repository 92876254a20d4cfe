"""`sklearn-cloud evaluate`: a report from a table, and clear errors before any work."""

import csv
import json

import numpy as np
import pytest

from sklearn_cloud.__main__ import main
from sklearn_cloud.datasets import load_example
from sklearn_cloud.evaluation import evaluator

pytestmark = pytest.mark.usefixtures("own_folder")
QUICK = ["--model", "forest", "--parameters", '{"n_estimators": 5}', "--folds", "3", "--quiet"]


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table of 40 formulas in which every model is fitted in a moment."""
    monkeypatch.setattr(evaluator, "FOREST", "forest")
    monkeypatch.setattr(evaluator, "_magpie_classifier", _small_forest)
    frame = load_example().frame.iloc[::7][["formula", "band_gap", "prototype"]].head(40)
    frame["lab"] = ["one", "two", "three", "four"] * 10
    frame["same"] = "one"
    frame["kind"] = np.where(frame["band_gap"] > 2, "wide", "narrow")
    frame["text"] = "unknown"
    frame["word"] = [f"w{i}" for i in range(40)]
    frame["some"] = [""] + ["one", "two", "three"] * 13
    frame.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def _small_forest(random_state, n_jobs):
    options = {"parameters": {"n_estimators": 5, "n_jobs": 1}, "classification": True}
    return evaluator.build_model("forest", **options)[0]


def evaluate(*options, target="band_gap"):
    return main(["evaluate", "table.csv", "--target", target, "-o", "report", *QUICK, *options])


def test_report_of_a_table(table, capsys, tmp_path):
    assert evaluate("--unit", "eV", "--cv", "plain", "group", "--groups", "lab") == 0
    out = capsys.readouterr().out
    content = json.loads((tmp_path / "report/report.json").read_text())
    mae = content["validations"]["plain"]["scores"][0]["mae"]
    assert out.startswith(f"Expect a mean absolute error of {mae:#.3g} eV for band_gap")
    assert content["settings"]["table"] == "table.csv"
    assert set(content["validations"]) == {"plain", "group"}
    assert content["validations"]["plain"]["predictions"][0]["formula"]
    assert "<svg" in (tmp_path / "report/report.html").read_text()
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        "report.html",
        "report.json",
    ]


def test_effort(table, tmp_path):
    command = ["evaluate", "table.csv", "--target", "band_gap", "-o", "report", "--folds", "2"]
    assert main([*command, "--effort", "fast", "--parameters", '{"cv": 2}', "--quiet"]) == 0
    settings = json.loads((tmp_path / "report/report.json").read_text())["settings"]
    assert settings["parameters"] == {"effort": "fast", "cv": 2}


def test_report_of_classes(table, capsys):
    assert evaluate("--classify", target="kind") == 0
    assert "of the predictions of kind to be right" in capsys.readouterr().out


def test_existing_report(table, capsys):
    assert evaluate() == 0
    assert evaluate() == 1
    assert "report exists: choose another name, or replace it with --overwrite" in (
        capsys.readouterr().err
    )
    assert evaluate("--overwrite") == 0


def test_folder_with_other_files_is_not_replaced(table, tmp_path, capsys):
    (tmp_path / "report").mkdir()
    (tmp_path / "report/thesis.txt").write_text("years of work")
    assert evaluate("--overwrite") == 1
    assert "contains other files" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "target", "code", "message"),
    [
        ([], "word", 1, "contains no numbers (the first value is 'w0')"),
        (["--classify"], "text", 1, "All 40 rows have one class, unknown"),
        (["--cv", "group", "--groups", "same"], "band_gap", 1, "in one of the groups, 'one'"),
        (["--cv", "group"], "band_gap", 2, "--cv group needs --groups"),
        (["--groups", "lab"], "band_gap", 2, "--groups is for --cv group only"),
        (["--cv", "group", "--groups", "some"], "band_gap", 1, "its some is missing"),
        (["--cv", "group", "--groups", "labs"], "band_gap", 1, "lab"),
        (["--cv", "space-group"], "band_gap", 1, "needs a crystal structure"),
        ([], "gap", 1, "band_gap"),
        (["--model", "nothing"], "band_gap", 1, "unknown model 'nothing'"),
        (["--parameters", "{"], "band_gap", 2, "--parameters is not valid JSON"),
        (["--effort", "fast"], "band_gap", 2, "--effort applies to --model crystal only"),
        (["--classify"], "band_gap", 1, "leave out --classify"),
    ],
)
def test_clear_errors(table, capsys, options, target, code, message, tmp_path):
    assert evaluate(*options, target=target) == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_twenty_rows(table, capsys):
    with open(table, newline="") as file:
        rows = list(csv.reader(file))[:21]
    with open(table, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    assert evaluate() == 1
    assert "20 crystals are too few to estimate an error" in capsys.readouterr().err


def test_rows_that_cannot_be_read_are_named_or_skipped(table, capsys, tmp_path):
    with open(table, "a") as file:
        file.write("Xx2O3,1.0,,one,one,wide,,,one\nNaCl,,,one,one,wide,,,one\n")
    assert evaluate() == 1
    message = capsys.readouterr().err
    assert "2 of 42 crystals" in message
    assert "Xx2O3" in message and "its band_gap is missing" in message
    assert evaluate("--skip-bad") == 0
    content = json.loads((tmp_path / "report/report.json").read_text())
    assert content["n_rows"] == 40
