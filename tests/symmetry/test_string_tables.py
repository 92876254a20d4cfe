"""Strings of Parquet tables, partition by partition."""

import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sklearn_cloud
from sklearn_cloud import CrystalError, SymmetryStringTransformer
from sklearn_cloud.__main__ import main
from sklearn_cloud.datasets import load_example
from sklearn_cloud.symmetry import string_tables, write_strings

pytest.importorskip("pyarrow")
CRYSTALS = load_example().structures[:20]
CIFS = [crystal.to(fmt="cif") for crystal in CRYSTALS]
# Writes strings in a process of its own, and waits for its end after so many partitions.
SCRIPT = """
import logging, os, signal, sys, threading
from pathlib import Path
from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.symmetry import string_tables
table, folder, mode = sys.argv[1:]
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
read, calls = string_tables.read_collection, []
def wait_in_the_second(group, *arguments):
    if group.number == 1:
        threading.Event().wait()
    return read(group, *arguments)
class KilledOnce(SymmetryStringTransformer):
    def transform(self, X):
        if Path(folder, "part-000000.parquet").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().transform(X)
if mode == "run":
    string_tables.read_collection = wait_in_the_second
    string_tables.write_strings(table, folder)
else:
    string_tables.write_strings(table, folder, KilledOnce(), n_jobs=2)
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Four partitions of five crystals."""
    path = tmp_path_factory.mktemp("table") / "crystals.parquet"
    frame = pd.DataFrame({"cif": CIFS, "number": range(20), "note": [None] * 15 + ["late"] * 5})
    frame.to_parquet(path, row_group_size=5)
    return path


@pytest.fixture(scope="module")
def expected():
    return SymmetryStringTransformer().transform(CRYSTALS).tolist()


def start(table, folder, mode):
    environment = {**os.environ, "PYTHONPATH": str(Path(sklearn_cloud.__file__).parents[1])}
    command = [sys.executable, "-c", SCRIPT, str(table), str(folder), mode]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes)


def strings(folder):
    return pd.read_parquet(folder)["symmetry_string"].tolist()


def test_a_file_for_each_row_group(table, expected, tmp_path):
    paths = write_strings(table, tmp_path / "out")
    assert [len(pd.read_parquet(path)) for path in paths] == [5] * 4
    written = pd.read_parquet(tmp_path / "out")
    assert written["symmetry_string"].tolist() == expected
    assert list(written) == ["number", "note", "symmetry_string"]  # without the structures
    assert written["note"].tolist() == [None] * 15 + ["late"] * 5
    kinds = {str(pd.read_parquet(path).dtypes.to_dict()) for path in paths}
    assert len(kinds) == 1  # although the first partitions have no note


def test_folders_of_files_and_numbers(expected, tmp_path):
    frame = pd.DataFrame({"id": range(20), "file": [f"{i}.cif" for i in range(20)]})
    source = tmp_path / "table"
    (source / "part=1").mkdir(parents=True)
    for i, cif in enumerate(CIFS):
        (source / ("." if i < 12 else "part=1") / f"{i}.cif").write_text(cif)
    frame[:12].to_parquet(source / "a.parquet")
    frame[12:].to_parquet(source / "part=1" / "b.parquet", row_group_size=4)
    (source / "_ignored.parquet").write_bytes(b"nothing")
    paths = write_strings(source, tmp_path / "out", SymmetryStringTransformer(numbers="geometry"))
    assert len(paths) == 3
    written = pd.read_parquet(tmp_path / "out")
    assert written["file"].tolist() == frame["file"].tolist()
    assert written["symmetry_string"].tolist() == expected
    numbers = SymmetryStringTransformer(numbers="geometry").transform(CIFS)[:, 1:]
    np.testing.assert_array_equal(written.iloc[:, 3:].to_numpy(), numbers.astype(float))


def test_one_partition_at_a_time_is_in_memory(table, tmp_path, monkeypatch):
    alive, read = [], string_tables.read_row_group

    def watch(*arguments):
        assert not any(reference() is not None for reference in alive)
        rows = read(*arguments)
        alive.append(weakref.ref(rows))
        return rows

    monkeypatch.setattr("sklearn_cloud.crystals.partitions.read_row_group", watch)
    monkeypatch.setattr(string_tables, "read_row_group", watch)
    write_strings(table, tmp_path / "out")
    assert len(alive) == 9  # the first is also looked at to find the crystals


def test_a_killed_run_resumes_with_the_partition_in_hand(table, expected, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    process = start(table, folder, "run")
    assert "part-000000.parquet" in process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    before = (folder / "part-000000.parquet").stat()
    assert sorted(path.name for path in folder.glob("part*")) == ["part-000000.parquet"]
    (folder / ".part-000001.parquet.ab12.part").write_bytes(b"half")
    write_strings(table, folder)
    assert strings(folder) == expected
    assert (folder / "part-000000.parquet").stat().st_mtime_ns == before.st_mtime_ns
    assert not list(folder.glob(".part*"))


@pytest.mark.slow
def test_a_killed_worker_is_an_error_and_the_next_run_resumes(table, expected, tmp_path):
    folder = tmp_path / "out"
    process = start(table, folder, "worker")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "RuntimeError: a worker process was killed" in errors
    assert (folder / "part-000000.parquet").exists()
    write_strings(table, folder)
    assert strings(folder) == expected


def test_other_parameters_tables_and_files_are_refused(table, tmp_path):
    folder = tmp_path / "out"
    write_strings(table, folder)
    with pytest.raises(ValueError, match="table of strings with other settings .sites."):
        write_strings(table, folder, SymmetryStringTransformer(sites="set"))
    pd.DataFrame({"cif": CIFS[:3]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="table of strings with other settings .table."):
        write_strings(tmp_path / "other.parquet", folder)
    with pytest.raises(ValueError, match="contains other files"):
        write_strings(table, tmp_path)


def test_unreadable_crystals(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({"cif": [*CIFS[:3], "data_\nnothing\n", None, CIFS[3]]})
    frame.to_parquet(path, row_group_size=3)
    with pytest.raises(CrystalError, match="t.parquet, row group 1: 2 of 3 rows cannot be used"):
        write_strings(path, tmp_path / "raise")
    with pytest.warns(UserWarning, match="row group 1: 2 of 3 rows"):
        paths = write_strings(path, tmp_path / "warn", SymmetryStringTransformer(on_error="warn"))
    missing = pd.read_parquet(tmp_path / "warn")["symmetry_string"].isna().tolist()
    assert missing == [False, False, False, True, True, False]
    assert string_tables.count_strings(paths) == (6, 2)


def test_wrong_tables(table, tmp_path):
    with pytest.raises(ValueError, match="no column 'structur'; its columns are: cif"):
        write_strings(table, tmp_path / "out", column="structur")
    with pytest.raises(ValueError, match="there are no Parquet files at"):
        write_strings(tmp_path, tmp_path / "out")
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="t.parquet is not a Parquet file"):
        write_strings(tmp_path / "t.parquet", tmp_path / "out")
    frame = pd.DataFrame({"formula": ["NaCl"], "symmetry_string": ["1"]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="already has a column 'symmetry_string'"):
        write_strings(tmp_path / "t.parquet", tmp_path / "out")


def test_the_command(table, expected, tmp_path, capsys):
    folder = tmp_path / "out"
    arguments = ["strings", str(table), "--partitions", "-o", str(folder)]
    assert main(arguments) == 0
    assert "wrote 20 strings in 4 files" in capsys.readouterr().err
    (folder / "part-000002.parquet").unlink()
    assert main([*arguments, "--quiet"]) == 0
    assert strings(folder) == expected
    assert main([*arguments, "--sites", "set"]) == 1
    assert "other settings (sites)" in capsys.readouterr().err
    assert main([*arguments, "--sites", "set", "--overwrite"]) == 0
    assert strings(folder) != expected
    assert main(["strings", str(table), "--partitions"]) == 2
    assert main([*arguments, "--column", "structur"]) == 1
    assert "no column 'structur'" in capsys.readouterr().err
