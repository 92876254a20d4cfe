"""Corpora of Parquet tables, row group by row group."""

import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import pandas as pd
import pytest

import sklearn_cloud
from sklearn_cloud.__main__ import main
from sklearn_cloud.cli.pretrain import open_source
from sklearn_cloud.crystals import partitions
from sklearn_cloud.datasets import load_example
from sklearn_cloud.pretraining.corpus import Corpus
from sklearn_cloud.pretraining.corpus_builder import CorpusSource, build_corpus

pytest.importorskip("pyarrow")
CRYSTALS = load_example().structures[:20]
# Builds a corpus in a process of its own, and waits for its end in the third chunk.
SCRIPT = """
import sys, threading
from sklearn_cloud.pretraining import corpus_builder
table, folder = sys.argv[1:]
code = corpus_builder.code_chunk
def wait_in_the_third(path, *arguments):
    if path.name == "00-000002.npz":
        threading.Event().wait()
    code(path, *arguments)
    print("written:", path, flush=True)
corpus_builder.code_chunk = wait_in_the_third
corpus_builder.build_corpus(folder, [corpus_builder.CorpusSource("table", table)])
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Four row groups of five crystals."""
    path = tmp_path_factory.mktemp("table") / "crystals.parquet"
    cifs = [crystal.to(fmt="cif") for crystal in CRYSTALS]
    frame = pd.DataFrame({"id": [f"c{i}" for i in range(20)], "cif": cifs, "gap": 1.0})
    frame.to_parquet(path, row_group_size=5)
    return path


@pytest.fixture(scope="module")
def expected(table, tmp_path_factory):
    """The corpus of the same crystals in memory."""
    frame = pd.read_parquet(table)
    source = CorpusSource("memory", list(zip(frame["id"], frame["cif"])))
    return build_corpus(tmp_path_factory.mktemp("corpus"), [source])


def contents(corpus):
    names = (corpus.folder / "shard-00000.identifiers.txt").read_text().split()
    return [(name, corpus[row][0].tolist()) for row, name in enumerate(names)]


def test_the_corpus_is_that_of_the_crystals(table, expected, tmp_path):
    source = CorpusSource("table", table)
    assert [name for name, _ in source] == [f"c{i}" for i in range(20)]
    corpus = build_corpus(tmp_path, [source])
    assert contents(corpus) == contents(expected)
    assert corpus.manifest["sources"][0]["read"] == 20


def test_identifiers_without_a_column_of_them(tmp_path):
    frame = pd.DataFrame({"crystal": [c.to(fmt="cif") for c in CRYSTALS[:3]]})
    (tmp_path / "table").mkdir()
    frame.to_parquet(tmp_path / "table" / "a.parquet", row_group_size=2)
    source = CorpusSource("table", tmp_path / "table", column="crystal")
    assert [name for name, _ in source] == ["a.parquet/0/0", "a.parquet/0/1", "a.parquet/1/0"]
    corpus = build_corpus(tmp_path / "corpus", [source])
    assert corpus.manifest["sources"][0]["column"] == "crystal"
    with pytest.raises(ValueError, match="has no column structure, cif"):
        build_corpus(tmp_path / "other", [CorpusSource("table", tmp_path / "table")])


def test_one_row_group_at_a_time_is_in_memory(table, tmp_path, monkeypatch):
    alive, read = [], partitions.read_row_group

    def watch(*arguments):
        assert not any(reference() is not None for reference in alive)
        rows = read(*arguments)
        alive.append(weakref.ref(rows))
        return rows

    monkeypatch.setattr(partitions, "read_row_group", watch)
    build_corpus(tmp_path, [CorpusSource("table", table)])
    assert len(alive) == 4


@pytest.mark.slow
def test_a_killed_build_resumes_with_the_row_group_in_hand(table, expected, tmp_path, monkeypatch):
    environment = {**os.environ, "PYTHONPATH": str(Path(sklearn_cloud.__file__).parents[1])}
    command = [sys.executable, "-c", SCRIPT, str(table), str(tmp_path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert "00-000000.npz" in process.stdout.readline()
    assert "00-000001.npz" in process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert len(list((tmp_path / "chunks").glob("*.npz"))) == 2
    read, groups = partitions.read_row_group, []
    monkeypatch.setattr(
        partitions,
        "read_row_group",
        lambda group, *a: (groups.append(group.number), read(group, *a))[1],
    )
    corpus = build_corpus(tmp_path, [CorpusSource("table", table)])
    assert groups == [2, 3]
    assert contents(corpus) == contents(expected)


def test_another_table_under_the_same_name(table, tmp_path):
    path = tmp_path / "crystals.parquet"
    frame = pd.read_parquet(table)
    frame.to_parquet(path)
    build_corpus(tmp_path / "corpus", [CorpusSource("table", path)])
    frame[::-1].to_parquet(path)
    with pytest.raises(ValueError, match="corpus with other settings .crystals."):
        build_corpus(tmp_path / "corpus", [CorpusSource("table", path)])


def test_the_command_reads_partitions(table, tmp_path, capsys):
    source = open_source(table, None)
    assert (source.items, source.column) == (table, "cif")
    assert main(["pretrain", str(table), "-o", str(tmp_path / "p"), "--column", "ciff"]) == 1
    assert "no column 'ciff'" in capsys.readouterr().err
    assert main(["pretrain", "nothing.parquet", "-o", str(tmp_path / "p")]) == 1
    assert "there is no file or folder 'nothing.parquet'" in capsys.readouterr().err


def test_corpora_of_earlier_versions_are_known(table, tmp_path):
    corpus = build_corpus(tmp_path, [CorpusSource("table", table)])
    assert "column" not in corpus.manifest["sources"][0]
    assert len(Corpus(tmp_path)) == len(corpus)
