"""What a command is given, and what it writes chunk by chunk."""

import json

import pandas as pd
import pytest
from cli_tables import PAIRS, cscl, read_rows, write_table

from sklearn_cloud import symmetry_string
from sklearn_cloud.__main__ import main
from sklearn_cloud.cli.predict import score

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of five; returns how many crystals were in memory at a time."""
    from sklearn_cloud.cli import inputs
    from sklearn_cloud.crystals import rows

    sizes = []
    compute = rows.compute_rows

    def count(items, *arguments, **options):
        sizes.append(len(items))
        return compute(items, *arguments, **options)

    monkeypatch.setattr(inputs, "CHUNK", 5)
    monkeypatch.setattr(rows, "compute_rows", count)
    return sizes


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "parquet"])
def test_chunks_make_one_table(suffix, crystals, small_chunks):
    readers = {"json": pd.read_json, "parquet": pd.read_parquet, "csv": pd.read_csv}
    read = readers.get(suffix, lambda path: pd.read_csv(path, sep="\t"))
    assert main(["strings", "targets.csv", "-o", f"out.{suffix}"]) == 0
    table = read(f"out.{suffix}")
    assert small_chunks == [5, 5, 2]
    assert len(table) == 12
    assert table["symmetry_string"].tolist() == [symmetry_string(cscl(*pair)) for pair in PAIRS]


def test_chunks_on_standard_output(crystals, small_chunks, capsys):
    assert main(["strings", "crystals"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "file,symmetry_string" and len(lines) == 13


def test_a_column_that_begins_empty(small_chunks, tmp_path):
    """Parquet takes the type of a column from all rows, not from the first chunk."""
    rows = [{"formula": "NaCl", "note": None}] * 6 + [{"formula": "KCl", "note": "late"}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    assert main(["strings", "t.json", "-o", "out.parquet"]) == 0
    assert pd.read_parquet("out.parquet")["note"].tolist() == [None] * 6 + ["late"]


def test_a_bad_row_in_a_late_chunk(crystals, small_chunks, capsys, tmp_path):
    (crystals / "RbBr.cif").write_text("data_nothing\n")
    assert main(["strings", "crystals", "-o", "out.csv"]) == 1
    assert main(["strings", "crystals"]) == 1
    output = capsys.readouterr()
    assert output.out == "" and not (tmp_path / "out.csv").exists()
    assert "1 of 12 crystals" in output.err and "crystals/RbBr.cif: " in output.err
    assert small_chunks == [5, 5, 2] * 2  # all are read, so that all bad ones are named
    assert main(["strings", "crystals", "-o", "out.csv", "--skip-bad"]) == 0
    assert len(read_rows("out.csv")) == 11


def test_predict_in_chunks(fit, crystals, small_chunks, capsys, assert_close):
    assert fit("model") == 0
    assert main(["predict", "model", "targets.csv", "-o", "many.csv"]) == 0
    assert "rows with a gap" in capsys.readouterr().err
    small_chunks.clear()
    for number in range(12):
        write_table(f"{number}.csv", ["file"], [[read_rows("targets.csv")[number]["file"]]])
        assert main(["predict", "model", f"{number}.csv", "-o", f"{number}.json"]) == 0
    alone = [json.loads(open(f"{n}.json").read())[0]["predicted_gap"] for n in range(12)]
    assert_close(pd.read_csv("many.csv")["predicted_gap"], alone)


def test_embed_in_chunks(crystals, encoder, small_chunks, capsys):
    assert main(["embed", "crystals", "-o", "v.parquet", "--encoder", encoder]) == 0
    assert pd.read_parquet("v.parquet").shape == (12, 17)
    assert "12 vectors of length 16" in capsys.readouterr().err


def test_ids_of_the_index_are_kept(fit, crystals, tmp_path):
    assert fit("model") == 0
    data = [[cscl(*pair).as_dict(), number] for number, pair in enumerate(PAIRS)]
    ids = [f"mb-{number}" for number in range(12)]
    table = {"columns": ["structure", "gap"], "index": ids, "data": data}
    (tmp_path / "t.json").write_text(json.dumps(table))
    assert main(["predict", "model", "t.json", "-o", "out.csv"]) == 0
    rows = read_rows("out.csv")
    assert list(rows[0]) == ["id", "gap", "predicted_gap"]
    assert [row["id"] for row in rows] == ids


def test_ids_and_a_folder_without_a_header(fit, crystals, tmp_path, capsys):
    rows = [[f"{'more/' * (n == 11)}{c}{a}", n] for n, (c, a) in enumerate(PAIRS)]
    write_table(tmp_path / "id_prop.csv", *[rows[0], rows[1:]])
    options = ["--no-header", "--folder", "crystals"]
    assert fit("model", *options, table="id_prop.csv", target="2") == 0
    assert main(["predict", "model", "id_prop.csv", *options, "-o", "out.csv"]) == 0
    assert list(read_rows("out.csv")[0]) == ["1", "2", "predicted_2"]
    capsys.readouterr()
    assert main(["strings", "id_prop.csv"]) == 1
    assert "'0' is a value of its first row, pass --no-header" in capsys.readouterr().err
    with open("id_prop.csv", "a") as file:
        file.write("nothing,1\n")
    assert main(["strings", "id_prop.csv", *options]) == 1
    assert "row 13 (nothing): there is no file 'nothing' or" in capsys.readouterr().err


def test_options_of_tables(crystals, capsys):
    for options in (["--folder", "crystals"], ["--no-header"], ["--column", "cif"]):
        assert main(["strings", "crystals", *options]) == 2
        assert f"{options[0]} applies to tables only" in capsys.readouterr().err


def test_several_json_files_are_a_crystal_each(tmp_path):
    for name in ("Na", "K"):
        (tmp_path / f"{name}.json").write_text(cscl(name, "Cl").to_json())
    assert main(["strings", "Na.json", "K.json", "-o", "out.csv"]) == 0
    assert main(["strings", "Na.json", "-o", "one.csv"]) == 0
    assert [row["file"] for row in read_rows("out.csv")] == ["Na.json", "K.json"]
    assert read_rows("one.csv") == read_rows("out.csv")[:1]


def test_changes_are_said_once(tmp_path, capsys):
    write_table(tmp_path / "t.csv", ["formula"], [["D2O"], ["NaD"], ["NaCl"]])
    assert main(["strings", "t.csv", "-o", "out.csv"]) == 0
    message = capsys.readouterr().err
    assert message.count("was read as H") == 1
    assert "(row 1 (D2O), row 2 (NaD))" in message


def test_a_corpus_of_a_compressed_table_and_of_files(tmp_path):
    from sklearn_cloud.cli.pretrain import open_source

    for name in ("Na", "K"):
        (tmp_path / f"{name}.vasp").write_text(cscl(name, "Cl").to(fmt="poscar"))
    (tmp_path / "bad.cif").write_text("data_x\n")
    files = dict(open_source(tmp_path, None))
    assert sorted(files) == ["K.vasp", "Na.vasp", "bad.cif"]  # read by the workers
    rows = [{"formula": "NaCl"}, {"formula": None}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    (_, salt), (name, problem) = open_source(tmp_path / "t.json", None)
    assert salt == "NaCl" and name == "row 2" and isinstance(problem, ValueError)


@pytest.mark.parametrize("true", [[0, 1, 1], [0.0, 1.0, None, 1.0], ["0", "1.0", "1"]])
@pytest.mark.parametrize("label", [int, float, str])
def test_labels_are_compared_as_numbers(true, label):
    """A column with gaps has floats, and CSV has text."""
    table = pd.DataFrame({"cls": true, "predicted_cls": [label(0), *[label(1)] * (len(true) - 1)]})
    assert "accuracy on the 3 rows with a cls: 1 " in score(table, "cls", classes=True)
