"""Workers on this machine and of a Dask cluster."""

import os
import signal
import subprocess
import sys
from concurrent.futures import CancelledError
from pathlib import Path

import joblib
import pandas as pd
import pytest

import sklearn_cloud
from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.crystals import workers
from sklearn_cloud.crystals.workers import run_in_workers
from sklearn_cloud.datasets import load_example
from sklearn_cloud.pretraining import CorpusSource, build_corpus
from sklearn_cloud.symmetry import write_strings

CRYSTALS = load_example().structures[:12]
# Starts a scheduler and two workers; the first task kills the scheduler.
LOST = """
import os, signal, subprocess, sys
import joblib
from dask.distributed import Client
from sklearn_cloud.crystals.workers import run_in_workers
def start(module, *options):
    options = ["--scheduler-file", sys.argv[1], "--no-dashboard", *options]
    command = [sys.executable, "-m", f"distributed.cli.{module}", *options]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)
processes = [start("dask_scheduler", "--port", "0", "--host", "127.0.0.1")]
try:
    client = Client(scheduler_file=sys.argv[1])
    processes += [start("dask_worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
    client.wait_for_workers(2)
    with joblib.parallel_config("dask"):
        list(run_in_workers(os.kill, [(processes[0].pid, signal.SIGKILL)] * 2))
except RuntimeError as error:
    print(f"RuntimeError: {error}", flush=True)
finally:
    for process in processes:
        process.kill()
    os._exit(0)
"""


def other_version():
    """In a worker: as if another version were installed there."""
    workers.own, workers.installed = workers.installed, lambda: "0.0.1, tables 123456789abc"


def own_version():
    workers.installed = workers.own


def kill_the_first_worker(marker):
    """Return the name of the marker, or end the process if there is none yet."""
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marker.name


def test_another_version_in_a_worker_is_an_error(monkeypatch):
    with pytest.raises(RuntimeError, match="another version of sklearn-cloud or of its vocabulary"):
        workers._call(abs, "0.0.1, tables 123456789abc", -1)
    assert workers._call(abs, workers.installed(), -1) == 1


def test_the_checksum_depends_on_the_tables(monkeypatch):
    found = workers.installed()
    workers.installed.cache_clear()
    monkeypatch.setattr(workers, "TABLES", workers.TABLES[:2])
    assert workers.installed() != found
    workers.installed.cache_clear()


def test_a_lost_connection_is_explained(monkeypatch):
    def lost(*arguments, **options):
        raise CancelledError("scheduler-connection-lost")

    monkeypatch.setattr(workers, "_call", lost)
    with joblib.parallel_config("threading", n_jobs=2):
        with pytest.raises(RuntimeError, match="the connection to the workers is lost.*scheduler"):
            list(run_in_workers(abs, [(1,), (2,)]))


@pytest.fixture(scope="module")
def cluster():
    """Two processes of one thread each."""
    distributed = pytest.importorskip("dask.distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


def test_strings_on_a_dask_cluster(cluster, tmp_path):
    expected = SymmetryStringTransformer().transform(CRYSTALS).tolist()
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"cif": [crystal.to(fmt="cif") for crystal in CRYSTALS]})
    frame.to_parquet(path, row_group_size=4)
    with joblib.parallel_config("dask"):
        assert SymmetryStringTransformer().transform(CRYSTALS).tolist() == expected
        write_strings(path, tmp_path / "out")
    assert pd.read_parquet(tmp_path / "out")["symmetry_string"].tolist() == expected
    pids = cluster.run(os.getpid)
    assert len(set(pids.values()) - {os.getpid()}) == 2


def test_a_corpus_on_a_dask_cluster(cluster, tmp_path):
    source = CorpusSource("crystals", [(str(i), crystal) for i, crystal in enumerate(CRYSTALS)])
    here = build_corpus(tmp_path / "here", [source], chunk_size=4)
    with joblib.parallel_config("dask"):
        there = build_corpus(tmp_path / "there", [source], chunk_size=4)
    assert there.fingerprint == here.fingerprint


def test_a_dask_worker_with_another_version(cluster):
    cluster.run(other_version)
    with joblib.parallel_config("dask"):
        with pytest.raises(RuntimeError, match="0.0.1, tables 123456789abc"):
            SymmetryStringTransformer().transform(CRYSTALS)
        cluster.run(own_version)
        assert len(SymmetryStringTransformer().transform(CRYSTALS)) == len(CRYSTALS)


def test_the_task_of_a_killed_dask_worker_is_run_again(cluster, tmp_path):
    with joblib.parallel_config("dask"):
        found = list(run_in_workers(kill_the_first_worker, [(tmp_path / "marker",)] * 3))
    assert found == ["marker"] * 3


@pytest.mark.slow
def test_a_dask_scheduler_that_disappears(tmp_path):
    pytest.importorskip("dask.distributed")
    command = [sys.executable, "-c", LOST, str(tmp_path / "scheduler.json")]
    environment = {**os.environ, "PYTHONPATH": str(Path(sklearn_cloud.__file__).parents[1])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "RuntimeError: the connection to the workers is lost" in done.stdout, done.stderr
