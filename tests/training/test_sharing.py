"""One network trained by several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import sklearn_cloud
from sklearn_cloud import CloudRegressor
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.training.data import PaddedBatches
from sklearn_cloud.training.sharing import ShareBatches

ELEMENTS = ("Na", "K", "Rb", "Cs", "Li")
STRINGS = [f"1a 1b | {a} 0.5 {b} 0.5" for a in ELEMENTS for b in ("F", "Cl", "Br", "I", "O")]
TARGETS = np.sin(np.arange(25.0))
OPTIONS = {"dropout": 0.0, "max_epochs": 4, "learning_rate": 3e-3, "validation_fraction": 0.2}
SCRIPT = """
import json, os, sys
sys.path.insert(0, FOLDER)
import numpy as np
from test_sharing import STRINGS, TARGETS, build
from sklearn_cloud.training.sharing import ShareBatches
rank = int(os.environ["RANK"])
seed, batch_size, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
model = build(batch_size, seed * rank, [ShareBatches()]).fit(STRINGS, TARGETS)
np.save(f"{folder}/{rank}.npy", model.predict(STRINGS))
json.dump([model.loss_curve_, model.validation_scores_], open(f"{folder}/{rank}.json", "w"))
"""


def build(batch_size, random_state, callbacks):
    config = EncoderConfig(n_layers=1, n_heads=2, width=32)
    options = {**OPTIONS, "batch_size": batch_size, "random_state": random_state}
    return CloudRegressor(config, device="cpu", precision="fp32", callbacks=callbacks, **options)


def launch(folder, seed, batch_size):
    script = folder / "fit.py"
    script.write_text(SCRIPT.replace("FOLDER", repr(str(Path(__file__).parent))))
    environment = {**os.environ, "PYTHONPATH": str(Path(sklearn_cloud.__file__).parents[1])}
    environment["OMP_NUM_THREADS"] = "1"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *launcher, str(script), str(seed), str(batch_size), str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


class Rows:
    """A dataset whose batches are their rows."""

    lengths = np.arange(11)

    def __len__(self):
        return 11

    def batch(self, rows):
        return torch.nn.Module(), rows


def test_processes_share_the_rows_of_every_batch():
    whole = list(PaddedBatches(Rows(), 5, seed=0))
    shares = [list(PaddedBatches(Rows(), 5, seed=0, share=(rank, 2))) for rank in range(2)]
    assert sorted(len(rows) for _, rows in whole) == [1, 5, 5]
    for (_, rows), *parts in zip(whole, *shares, strict=True):
        counted = [row for part, some in parts for row in some if part.share]
        assert sorted(counted) == sorted(rows)
        assert sum(part.share for part, _ in parts) == 1


def test_a_single_process_is_not_changed(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    plain, shared = (build(5, 0, c).fit(STRINGS, TARGETS) for c in (None, [ShareBatches()]))
    np.testing.assert_array_equal(plain.predict(STRINGS), shared.predict(STRINGS))


def test_gradients_are_averaged_before_they_are_clipped(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    order = []
    monkeypatch.setattr(
        ShareBatches, "on_grad_computed", lambda self, net, **kwargs: order.append("share")
    )
    monkeypatch.setattr(
        "skorch.callbacks.GradientNormClipping.on_grad_computed",
        lambda self, net, **kwargs: order.append("clip"),
    )
    build(20, 0, [("shared", ShareBatches())]).fit(STRINGS, TARGETS)
    assert order == ["share", "clip"] * OPTIONS["max_epochs"]


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [6, 19])  # 19: of the last batch, one process has nothing
def test_two_processes_fit_the_network_of_one(batch_size, tmp_path):
    done = launch(tmp_path, 0, batch_size)
    assert done.returncode == 0, done.stderr
    first, second = (np.load(tmp_path / f"{rank}.npy") for rank in range(2))
    np.testing.assert_array_equal(first, second)
    alone = build(batch_size, 0, None).fit(STRINGS, TARGETS)
    np.testing.assert_allclose(first, alone.predict(STRINGS), atol=1e-4)
    _, scores = json.loads((tmp_path / "0.json").read_text())
    assert scores == pytest.approx(alone.validation_scores_, abs=1e-4)


@pytest.mark.slow
def test_processes_with_other_seeds_are_refused(tmp_path):
    done = launch(tmp_path, 1, 6)
    assert done.returncode != 0
    assert "have different rows, seeds or weights" in done.stderr
