"""Fits in threads reproduce, and equal those made one after the other to the bit."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import cross_val_predict

from sklearn_cloud import CloudClassifier, CloudEmbedder, CloudRegressor
from sklearn_cloud.baselines import RoostRegressor
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.training.net import local_seed

TINY = EncoderConfig(n_layers=1, n_heads=1, width=8, intermediate=8, max_positions=16)
FORMULAS = ["NaCl", "KCl", "KBr", "MgO", "CaO", "LiF", "ZnS", "GaAs", "CdTe", "AlN"] * 2
STRINGS = [
    f"{f[:2].strip()} 0.5 {f[2:]} 0.5" if f[1].islower() else f"{f[0]} 0.5 {f[1:]} 0.5"
    for f in FORMULAS
]
GAPS = np.linspace(1, 9, 20)


def models():
    return [
        CloudRegressor(TINY, max_epochs=2, random_state=0),
        CloudRegressor(TINY, max_epochs=2, random_state=1),
        CloudRegressor(TINY, max_epochs=2, random_state=0, precision="bf16"),
        CloudClassifier(TINY, max_epochs=2, random_state=0),
        RoostRegressor(width=8, n_layers=1, max_epochs=2, random_state=0),
        CloudEmbedder(TINY),
    ]


def work(model):
    """Fit, copy in three ways, and everything that comes out."""
    X = FORMULAS if isinstance(model, RoostRegressor) else STRINGS
    y = GAPS > 5 if isinstance(model, CloudClassifier) else GAPS
    fitted = clone(model).fit(X, y)
    method = "predict" if hasattr(fitted, "predict") else "transform"
    copy = pickle.loads(pickle.dumps(fitted))
    return [getattr(one, method)(X).tolist() for one in (fitted, copy, fitted)]


def test_everything_at_once():
    state = torch.get_rng_state()
    expected = [work(model) for model in models()] * 3
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, models() * 3))
    assert found == expected
    assert torch.equal(torch.get_rng_state(), state)


def test_bagging_in_threads():
    X = np.array(STRINGS, dtype=object).reshape(-1, 1)

    def scores(n_jobs):
        from joblib import parallel_config

        model = BaggingRegressor(
            CloudRegressor(TINY, max_epochs=1), n_estimators=4, random_state=0, n_jobs=n_jobs
        )
        with parallel_config("threading"):
            return cross_val_predict(model, X, GAPS, cv=2, n_jobs=n_jobs)

    found = scores(2)
    np.testing.assert_array_equal(scores(2), found)
    # with one worker, scikit-learn adds up in another order
    np.testing.assert_allclose(scores(1), found, rtol=1e-14)


@pytest.mark.slow
def test_a_forked_child_does_not_wait_for_threads_that_it_does_not_have():
    os = pytest.importorskip("os")
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    code = """
import os, threading
from sklearn_cloud.training.net import local_seed
inside, leave = threading.Event(), threading.Event()
def hold():
    with local_seed(0, "cpu"):
        inside.set()
        leave.wait()
thread = threading.Thread(target=hold)
thread.start()
inside.wait()
child = os.fork()
if child == 0:
    with local_seed(0, "cpu"):
        os._exit(7)
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
leave.set()
thread.join()
raise SystemExit(code)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


@pytest.mark.slow
def test_first_use_from_two_threads():
    """In a fresh process, in which nothing is imported yet."""
    code = """
import threading
import sklearn_cloud
barrier, results = threading.Barrier(2), []
def work():
    barrier.wait()
    model = sklearn_cloud.CloudRegressor(max_epochs=1, random_state=0)
    strings = ["Na 0.5 Cl 0.5", "K 0.5 Cl 0.5", "Mg 0.5 O 0.5"] * 4
    results.append(model.fit(strings, range(12)).predict(strings).tolist())
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(results) == 2 and results[0] == results[1]
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_seeds_do_not_leak():
    state = torch.get_rng_state()
    with local_seed(3, "cpu"):
        first = torch.rand(3)
        with local_seed(3, "cpu"):
            assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", ["cuda:1", "xpu:0", "mps"])
def test_other_devices_are_seeded_and_left_as_they_were(name, monkeypatch):
    """With a stand-in for the module of the device, which is seldom there."""
    calls = []

    class Module:
        def get_rng_state(*which):
            calls.append(("get", *map(str, which)))
            return "state"

        def set_rng_state(state, *which):
            calls.append(("set", state, *map(str, which)))

        def manual_seed(seed):
            calls.append(("seed", seed))

        def device(which):
            calls.append(("device", str(which)))
            return nullcontext()

    monkeypatch.setattr(torch, "get_device_module", lambda device: Module)
    with pytest.raises(KeyError), local_seed(5, name):
        raise KeyError
    which = () if name == "mps" else (name,)
    expected = [("get", *which), ("device", name), ("seed", 5), ("set", "state", *which)]
    assert calls == [one for one in expected if one[0] != "device" or which]
