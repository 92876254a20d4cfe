"""Two processes that write the same output: one of them wins, and nothing is mixed or broken.

The other process waits for a line before it goes on, so that no test depends on the time.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_tables import PAIRS, cscl, read_rows

import sklearn_cloud
from sklearn_cloud import load_model, save_model
from sklearn_cloud.__main__ import main
from sklearn_cloud.baselines import MagpieForestRegressor
from sklearn_cloud.files import is_locked, locked
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus
from sklearn_cloud.symmetry import write_strings

pytest.importorskip("fcntl", reason="no locks on Windows")
pytestmark = pytest.mark.usefixtures("own_folder")

TABLE = """
import sys
from sklearn_cloud.__main__ import main
from sklearn_cloud.cli import table_output

add = table_output.add_columns

def slowly(*arguments):
    print("writing", flush=True)
    sys.stdin.readline()
    return add(*arguments)

table_output.add_columns = slowly
sys.exit(main(["strings", "crystals", "-o", "out.csv", "--quiet"]))
"""
MODEL = """
import sys
from sklearn_cloud import save_model
from sklearn_cloud.baselines import MagpieForestRegressor
from sklearn_cloud.estimators import folder_files

write = folder_files.write_file

def slowly(path, data):
    if path.name == folder_files.MODEL_FILE:
        print("writing", flush=True)
        sys.stdin.readline()
    write(path, data)

folder_files.write_file = slowly
model = MagpieForestRegressor(n_estimators=3, random_state=0).fit(["NaCl", "KCl"], [1.0, 2.0])
save_model(model, "model", target="theirs")
"""


@contextmanager
def half_way(code):
    """Run code in another process until it says that it writes; then give the process."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sklearn_cloud.__file__).parents[1])}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", code], text=True, env=environment, **pipes)
    try:
        assert process.stdout.readline() == "writing\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process):
    process.communicate("go on\n")
    return process.returncode


def small_model():
    return MagpieForestRegressor(n_estimators=3, random_state=1).fit(["NaCl", "KCl"], [3.0, 4.0])


def is_whole(folder, target):
    names = {path.name for path in folder.iterdir()}
    content = json.loads((folder / "crystal_model.json").read_text())
    assert content["target"] == target
    assert names == {"crystal_model.json", *(entry["name"] for entry in content["files"])}
    assert np.isfinite(load_model(folder).predict(["NaF"])).all()
    assert not list(folder.parent.glob(".*.part"))


def test_a_second_command_refuses_to_write_the_same_table(crystals, capsys, tmp_path):
    with half_way(TABLE) as process:
        assert main(["strings", "crystals", "-o", "out.csv"]) == 1
        message = capsys.readouterr().err
        assert "out.csv is being written by another command: wait for it, or" in message
        assert main(["strings", "crystals", "-o", "other.csv"]) == 0
        assert finish(process) == 0
    assert read_rows("out.csv") == read_rows("other.csv")
    assert not list(tmp_path.glob(".*.part"))


def test_remains_of_a_killed_command_are_no_obstacle(crystals, tmp_path):
    with half_way(TABLE) as process:
        process.kill()
        process.wait()
    assert len(list(tmp_path.glob(".out.csv.*.part"))) == 1
    assert main(["strings", "crystals", "-o", "out.csv"]) == 0
    assert not list(tmp_path.glob(".*.part"))


def test_a_model_waits_for_the_one_that_is_being_written(tmp_path):
    """Both write into a folder that exists; the last model stays, with its own files."""
    folder = tmp_path / "model"
    save_model(small_model(), folder, target="old")
    with half_way(MODEL) as first:
        assert is_locked(folder)
        with pytest.raises(BlockingIOError), locked(folder, wait=False):
            pass
        is_whole_but_for_new_files(folder)
        assert finish(first) == 0
    is_whole(folder, "theirs")
    save_model(small_model(), folder, target="ours")
    is_whole(folder, "ours")


def is_whole_but_for_new_files(folder):
    assert json.loads((folder / "crystal_model.json").read_text())["target"] == "old"
    assert np.isfinite(load_model(folder).predict(["NaF"])).all()


def test_two_new_folders_of_one_name(tmp_path):
    """The second one to finish replaces the first one's model, and loses nothing."""
    folder = tmp_path / "model"
    with half_way(MODEL) as first:
        save_model(small_model(), folder, target="ours")
        is_whole_beside_the_other(folder)
        # the folder exists by now: it asks once more, before it writes into it
        first.stdin.write("go on\n")
        first.stdin.flush()
        assert first.stdout.readline() == "writing\n"
        assert finish(first) == 0
    is_whole(folder, "theirs")


def is_whole_beside_the_other(folder):
    assert json.loads((folder / "crystal_model.json").read_text())["target"] == "ours"
    assert len(list(folder.parent.glob(".model.*.part"))) == 1


def test_locks_end_with_their_process(tmp_path):
    folder = tmp_path / "model"
    save_model(small_model(), folder, target="old")
    with half_way(MODEL) as process:
        process.kill()
        process.wait()
    assert not is_locked(folder)
    save_model(small_model(), folder, target="ours")
    is_whole(folder, "ours")


def build(folder):
    structures = [(f"{a}{b}", cscl(a, b)) for a, b in PAIRS[:2]]
    return len(build_corpus(folder, [CorpusSource("by hand", structures)]))


def write(folder):
    table = folder.with_name("table.parquet")
    pd.DataFrame({"formula": ["NaCl", "KCl"]}).to_parquet(table, row_group_size=1)
    return len(write_strings(table, folder))


@pytest.mark.parametrize("work", [build, write])
def test_a_second_build_waits_and_finds_the_first(work, tmp_path):
    folder, waits = tmp_path / "out", threading.Event()
    folder.mkdir()
    handler = logging.Handler()
    handler.emit = lambda record: waits.set()
    logger = logging.getLogger("sklearn_cloud.files")
    logger.addHandler(handler)
    try:
        with ThreadPoolExecutor(1) as pool:
            with locked(folder):
                second = pool.submit(work, folder)
                waits.wait()
                assert not second.done() and not list(folder.iterdir())
            assert second.result() == 2
    finally:
        logger.removeHandler(handler)
