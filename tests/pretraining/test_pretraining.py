import json
import logging
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from corpora import make_corpus
from safetensors.torch import load_file
from transformers.utils import logging as transformers_logging

from sklearn_cloud import CloudRegressor
from sklearn_cloud.encoder import EncoderConfig, SymmetryTokenizer, load_encoder
from sklearn_cloud.pretraining import masking
from sklearn_cloud.pretraining.corpus import held_out_rows
from sklearn_cloud.pretraining.masking import IGNORED, MaskedBatch
from sklearn_cloud.pretraining.pretraining import last_checkpoint, pretrain
from sklearn_cloud.pretraining.pretraining_model import PretrainingModel
from sklearn_cloud.pretraining.scores import score_baselines, score_masked_tokens

TINY = EncoderConfig(n_layers=1, n_heads=2, width=32)
OPTIONS = {
    "config": TINY,
    "epochs": 3,
    "batch_size": 32,
    "device_batch_size": 8,
    "learning_rate": 3e-3,
    "held_out": 0.1,
    "evaluations": 3,
    "save_steps": 4,
    "device": "cpu",
    "bf16": False,
}
TWO_PROCESSES = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
# Trains in a process of its own, which kills itself as soon as a file is there.
SCRIPT = """
import json, os, signal, sys, threading, time
folder, corpus, options, fatal = sys.argv[1:]
def watch():
    while not os.path.exists(fatal):
        time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGKILL)
if fatal:
    threading.Thread(target=watch, daemon=True).start()
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.pretraining.corpus import Corpus
from sklearn_cloud.pretraining import pretrain
options = json.loads(options)
pretrain(Corpus(corpus), folder, **{**options, "config": EncoderConfig(**options["config"])})
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    """An uninterrupted training with geometry heads; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained")
    return pretrain(corpus, folder, geometry_weight=1.0, metadata={"corpus": "made up"}, **OPTIONS)


def run_script(corpus, folder, fatal="", launcher=(), **options):
    config = options.pop("config", TINY)
    options = {**OPTIONS, "geometry_weight": 1.0, **options, "config": config.to_dict()}
    script = folder.parent / "train.py"
    script.write_text(SCRIPT)
    arguments = [str(folder), str(corpus.folder), json.dumps(options), str(fatal)]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, str(script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def losses(history):
    return {entry["step"]: entry["loss"] for entry in history if "loss" in entry}


def assert_same_training(folder, trained):
    history = json.loads((folder / "history.json").read_text())["history"]
    assert losses(history) == pytest.approx(losses(trained["history"]), abs=1e-5)
    assert [entry["step"] for entry in history] == [e["step"] for e in trained["history"]]
    expected = load_file(trained["encoder"] / "model.safetensors")
    for name, tensor in load_file(folder / "encoder" / "model.safetensors").items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-3, atol=1e-4)


def test_loss_goes_down(trained):
    curve = list(losses(trained["history"]).values())
    assert np.mean(curve[-3:]) < np.mean(curve[:3]) - 0.5
    scores = [entry["eval_loss"] for entry in trained["history"] if "eval_loss" in entry]
    assert scores[-1] < scores[0]
    steps = [entry["step"] for entry in trained["history"] if "eval_loss" in entry]
    assert len(set(steps)) == len(steps)  # nothing is scored twice
    assert trained["held_out"]["loss"] == scores[-1]


def test_result_holds_scores_per_part(trained):
    held_out = trained["held_out"]
    parts = ("generator", "sites", "composition")
    expected = {"loss", "accuracy", *(f"accuracy_{part}" for part in parts)}
    assert set(held_out) == expected | {"crystal_loss", "orbit_loss"}
    shares = [held_out[f"accuracy_{part}"] for part in parts]
    assert min(shares) <= held_out["accuracy"] <= max(shares)
    written = json.loads((trained["encoder"].parent / "history.json").read_text())
    assert written["held_out"] == held_out


def test_encoder_is_what_the_estimators_take(trained):
    checkpoint = load_encoder(trained["encoder"])
    assert checkpoint.config == TINY
    assert checkpoint.metadata["corpus"] == "made up"
    assert checkpoint.metadata["pretraining"] == trained["plan"]
    saved = load_file(trained["encoder"].parent / "checkpoint-15" / "model.safetensors")
    for name, tensor in checkpoint.weights.items():
        assert torch.equal(tensor, saved[f"encoder.{name}"].half().float())
    strings = ["0 0 0 | 1a | O 1.0", "0 0 0 | 1a | N 1.0"] * 8
    model = CloudRegressor(str(trained["encoder"]), max_epochs=1, random_state=0, device="cpu")
    assert model.fit(strings, np.arange(16.0)).predict(strings).shape == (16,)


def test_geometry_heads_are_optional(corpus, tmp_path):
    result = pretrain(corpus, tmp_path, **{**OPTIONS, "epochs": 1})
    assert "crystal_loss" not in result["held_out"]
    names = load_file(last_checkpoint(tmp_path) + "/model.safetensors")
    assert not [name for name in names if "head" in name]
    assert result["encoder"].is_dir()


def test_training_is_reproducible_silent_and_leaves_global_state_alone(corpus, tmp_path, capfd):
    results = []
    for name, seed in (("a", 1), ("b", 2)):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        transformers_logging.set_verbosity_info()
        results.append(pretrain(corpus, tmp_path / name, **{**OPTIONS, "epochs": 1}))
        assert transformers_logging.get_verbosity() == logging.INFO
        following = random.random(), np.random.rand(), torch.rand(1)
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        assert following == (random.random(), np.random.rand(), torch.rand(1))
    transformers_logging.set_verbosity_warning()
    assert results[0]["history"] == results[1]["history"]
    files = [(result["encoder"] / "model.safetensors").read_bytes() for result in results]
    assert files[0] == files[1]
    assert capfd.readouterr() == ("", "")


def test_trainer_visits_every_row_once_per_epoch(corpus, tmp_path, monkeypatch):
    seen = []

    class Recorder(MaskedBatch):
        def __call__(self, items):
            seen.extend(items)
            return super().__call__(items)

    monkeypatch.setattr("sklearn_cloud.pretraining.trainer.MaskedBatch", Recorder)
    pretrain(corpus, tmp_path, **OPTIONS)
    rows = np.flatnonzero(~held_out_rows(corpus, 0.1)).tolist()
    for epoch in range(3):
        assert sorted(row for row, e in seen if e == epoch) == rows
    assert len(seen) == 3 * len(rows)


# an epoch has 5 steps
@pytest.mark.parametrize(
    ("save_steps", "fatal"),
    [
        pytest.param(4, "checkpoint-8/trainer_state.json", id="within the second epoch"),
        pytest.param(
            5, "checkpoint-5/trainer_state.json", id="between epochs", marks=pytest.mark.slow
        ),
        pytest.param(4, "checkpoint-12/optimizer.pt", id="while writing", marks=pytest.mark.slow),
    ],
)
def test_killed_training_goes_on_as_if_nothing_had_happened(
    corpus, trained, tmp_path, save_steps, fatal
):
    folder = tmp_path / "killed"
    killed = run_script(corpus, folder, folder / fatal, save_steps=save_steps)
    assert killed.returncode == -9, killed.stderr
    assert not (folder / "encoder").exists()
    # the plan is the same: what is left of it continues in this process
    pretrain(corpus, folder, geometry_weight=1.0, **OPTIONS)
    assert_same_training(folder, trained)


def test_finished_training_is_returned(corpus, trained, tmp_path):
    folder = shutil.copytree(trained["encoder"].parent, tmp_path / "copy")
    again = pretrain(corpus, folder, geometry_weight=1.0, **OPTIONS)
    assert again["history"] == trained["history"]
    assert again["held_out"] == trained["held_out"]


@pytest.mark.slow
def test_two_processes_train_one_encoder(corpus, trained, tmp_path):
    options = {"launcher": TWO_PROCESSES}
    for name in ("whole", "killed"):
        folder = tmp_path / name
        if name == "killed":
            fatal = folder / "checkpoint-8" / "trainer_state.json"
            assert run_script(corpus, folder, fatal, **options).returncode != 0
            assert not (folder / "encoder").exists()
        done = run_script(corpus, folder, **options)
        assert done.returncode == 0, done.stderr
    whole = json.loads((tmp_path / "whole" / "history.json").read_text())
    assert load_encoder(tmp_path / "whole" / "encoder").config == TINY
    assert_same_training(tmp_path / "killed", {**whole, "encoder": tmp_path / "whole" / "encoder"})
    # the batches are those of one process; only dropout differs
    assert losses(whole["history"]) == pytest.approx(losses(trained["history"]), abs=0.3)
    assert losses(whole["history"])[1] == pytest.approx(losses(trained["history"])[1], abs=0.05)


@pytest.mark.slow
def test_without_dropout_two_processes_train_the_encoder_of_one(corpus, tmp_path):
    # 168 rows, a multiple of the batch: otherwise, some rows of an epoch's last batch count twice
    assert len(corpus) == 168
    options = {"config": replace(TINY, dropout=0.0), "epochs": 1, "held_out": 0.0}
    options |= {"batch_size": 24, "device_batch_size": 4}
    alone = pretrain(corpus, tmp_path / "alone", **{**OPTIONS, "geometry_weight": 1.0, **options})
    folder = tmp_path / "two"
    fatal = folder / "checkpoint-4" / "trainer_state.json"
    assert run_script(corpus, folder, fatal, TWO_PROCESSES, **options).returncode != 0
    done = run_script(corpus, folder, launcher=TWO_PROCESSES, **options)
    assert done.returncode == 0, done.stderr
    assert_same_training(folder, alone)


# What FSDP does to the network, without the Trainer, which cannot do it on a CPU.
SHARDED = """
import sys
import torch
from torch.distributed import init_process_group
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.pretraining.corpus import Corpus
from sklearn_cloud.pretraining.masking import MaskedBatch
from sklearn_cloud.pretraining.pretraining_model import PretrainingModel
init_process_group("gloo")
batch = MaskedBatch(Corpus(sys.argv[1]), 0.15, 0)([(row, 0) for row in range(16)])
models = []
for _ in range(2):
    torch.manual_seed(0)
    config = EncoderConfig(n_layers=2, n_heads=2, width=32, dropout=0.0)
    models.append(PretrainingModel(config, geometry_weight=1.0))
plain, sharded = models
mesh = torch.distributed.init_device_mesh("cpu", (2,))
for layer in sharded.encoder.encoder.layer:
    fully_shard(layer, mesh=mesh)
fully_shard(sharded, mesh=mesh)
losses = [model(**batch)["loss"] for model in models]
torch.testing.assert_close(*losses)
for loss in losses:
    loss.backward()
for (name, expected), found in zip(plain.named_parameters(), sharded.parameters(), strict=True):
    assert isinstance(found, DTensor), name
    if expected.grad is not None:
        torch.testing.assert_close(found.grad.full_tensor(), expected.grad)
print("equal", flush=True)
"""


@pytest.mark.slow
def test_a_sharded_network_has_the_same_loss_and_gradients(corpus, tmp_path):
    script = tmp_path / "sharded.py"
    script.write_text(SHARDED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, *TWO_PROCESSES, str(script), str(corpus.folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("equal") == 2


def test_fsdp_without_a_gpu_is_an_error(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(ValueError, match="FSDP .* needs GPUs"):
        pretrain(corpus, tmp_path / "new", **OPTIONS)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda d: (d / "trainer_state.json").unlink(), "trainer_state.json"),
        (lambda d: truncate(d / "trainer_state.json"), "trainer_state.json"),
        (lambda d: (d / "optimizer.pt").unlink(), "optimizer* is missing"),
        (lambda d: (d / "rng_state.pth").unlink(), "rng_state*.pth is missing"),
        (lambda d: (d / "scheduler.pt").write_bytes(b""), "scheduler.pt is damaged"),
        (lambda d: truncate(d / "optimizer.pt"), "optimizer.pt is damaged"),
        (lambda d: truncate(d / "model.safetensors"), "model.safetensors is damaged"),
        (lambda d: (d / "model.safetensors").unlink(), "*model* is missing"),
    ],
)
def test_incomplete_checkpoint_is_passed_over(trained, tmp_path, caplog, damage, reason):
    folder = shutil.copytree(trained["encoder"].parent, tmp_path / "copy")
    assert last_checkpoint(folder) == str(folder / "checkpoint-15")
    damage(folder / "checkpoint-15")
    assert last_checkpoint(folder) == str(folder / "checkpoint-12")
    assert "skipped" in caplog.text and f"checkpoint-15: {reason}" in caplog.text


def test_no_silent_start_from_scratch(corpus, trained, tmp_path):
    folder = shutil.copytree(trained["encoder"].parent, tmp_path / "copy")
    for step in (12, 15):
        truncate(folder / f"checkpoint-{step}" / "model.safetensors")
    with pytest.raises(ValueError, match="no checkpoint in .* can be read"):
        pretrain(corpus, folder, geometry_weight=1.0, **OPTIONS)


def test_first_checkpoint_cut_short_means_the_beginning(tmp_path, caplog):
    assert last_checkpoint(tmp_path) is None
    (tmp_path / "checkpoint-4").mkdir()
    (tmp_path / "checkpoint-4" / "model.safetensors").write_bytes(b"half")
    assert last_checkpoint(tmp_path) is None
    assert "checkpoint-4: " in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 4},
        {"learning_rate": 1e-3},
        {"random_state": 1},
        {"geometry_weight": 0.5},
        {"device_batch_size": 16},
        {"config": EncoderConfig(n_layers=1, n_heads=1, width=32)},
    ],
)
def test_other_plans_are_refused(corpus, trained, changes):
    folder = trained["encoder"].parent
    with pytest.raises(
        ValueError, match=f"training with other settings .{next(iter(changes))}.: choose"
    ):
        pretrain(corpus, folder, **{"geometry_weight": 1.0, **OPTIONS, **changes})


def test_other_corpora_and_damaged_plans_are_refused(corpus, trained, tmp_path):
    folder = shutil.copytree(trained["encoder"].parent, tmp_path / "copy")
    other = make_corpus(tmp_path / "corpus", sites="orbits")
    with pytest.raises(ValueError, match="training with other settings .corpus.: choose"):
        pretrain(other, folder, geometry_weight=1.0, **OPTIONS)
    truncate(folder / "plan.json")
    with pytest.raises(ValueError, match="plan.json' is damaged"):
        pretrain(corpus, folder, geometry_weight=1.0, **OPTIONS)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be"),
        ({"save_steps": 2.5}, ValueError, "save_steps must be"),
        ({"evaluations": 0}, ValueError, "evaluations must be"),
        ({"batch_size": 20}, ValueError, "batch_size=20 must be a multiple of device_batch_size=8"),
        ({"batch_size": 4}, ValueError, "batch_size=4 must be a multiple of device_batch_size=8"),
        ({"held_out": 1.0}, ValueError, "held_out must be"),
        ({"held_out": 0.9999999}, ValueError, "leaves none of"),
        ({"mask_probability": 0.0}, ValueError, "mask_probability must be"),
        ({"warmup_ratio": -0.1}, ValueError, "warmup_ratio must be"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be"),
        ({"geometry_weight": -1.0}, ValueError, "geometry_weight must be"),
        ({"random_state": None}, ValueError, "random_state must be"),
        ({"config": EncoderConfig(max_positions=20)}, ValueError, "the encoder reads only 20"),
        ({"metadata": {"path": Path()}}, TypeError, "not JSON serializable"),
        ({"corpus": []}, ValueError, "no corpora"),
    ],
)
def test_impossible_trainings_are_refused(corpus, tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        pretrain(**{"corpus": corpus, "folder": tmp_path / "new", **OPTIONS, **changes})
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_missing_device_is_an_error(corpus, tmp_path):
    with pytest.raises(ValueError, match="is not available to torch"):
        pretrain(corpus, tmp_path, **{**OPTIONS, "device": "cuda"})


def test_bf16_trains(corpus, tmp_path):
    result = pretrain(corpus, tmp_path, geometry_weight=1.0, **{**OPTIONS, "bf16": True})
    curve = list(losses(result["history"]).values())
    assert curve[-1] < curve[0] - 0.5


def test_batch_without_masked_tokens_has_no_loss(corpus):
    batch = MaskedBatch(corpus, 0.15, 0)([(row, 0) for row in range(4)])
    batch["labels"][:] = IGNORED
    model = PretrainingModel(TINY)
    output = model(**batch)
    output["loss"].backward()
    assert output["loss"].item() == 0
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


class KnowsAll(torch.nn.Module):
    """Predicts every masked token, but those of one kind; its geometry loss is the number 0."""

    def __init__(self, wrong):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.wrong = torch.tensor(sorted(wrong))

    def forward(self, input_ids, labels, geometry, distances):
        assert not self.training
        labels = labels[labels != IGNORED]
        known = geometry[~geometry.isnan()]
        return {
            "token_loss": labels.float().mean(),
            "crystal_loss": known.abs().sum() / max(len(known), 1),
            "predicted": torch.where(torch.isin(labels, self.wrong), 0, labels),
        }


def test_scores_are_means_over_tokens_and_known_numbers(corpus):
    tokenizer = SymmetryTokenizer()
    wrong = [i for i, token in enumerate(tokenizer.vocabulary) if token.startswith("generator:")]
    model = KnowsAll(wrong).train()
    rows = np.arange(len(corpus))
    geometry = np.array([corpus[row][2] for row in rows], dtype=float)
    manifest = corpus.manifest["geometry"]
    expected = np.nanmean(np.abs((geometry - manifest["mean"]) / manifest["scale"]))
    scores = score_masked_tokens(model, corpus, rows, batch_size=10)
    assert model.training
    assert scores["accuracy_generator"] == 0
    assert scores["accuracy_sites"] == scores["accuracy_composition"] == 1
    assert 0.2 < scores["accuracy"] < 0.8
    # most rows have no coordinates: they must not count
    assert scores["crystal_loss"] == pytest.approx(expected, rel=1e-4)
    assert score_masked_tokens(model, corpus, rows[:0]) == {}


def test_baselines_count(corpus):
    validation = held_out_rows(corpus, 0.3)
    training, rows = np.flatnonzero(~validation), np.flatnonzero(validation)
    scores = score_baselines(corpus, training, rows, mask_probability=0.15)
    tokenizer = SymmetryTokenizer()

    def tokens(row):
        """(part, space group, token) of a row."""
        ids = corpus[row][0].tolist()
        group = tokenizer.decode(ids).split(" | ")[0]
        return [(part, group, t) for part, t in zip(tokenizer.part_ids(ids), ids) if part]

    counts = {"unigram": {}, "space_group": {}}
    for row in training:
        for part, group, token in tokens(row):
            counts["unigram"].setdefault(part, Counter())[token] += 1
            counts["space_group"].setdefault((part, group), Counter())[token] += 1
    # which tokens are masked is chance: the share of right guesses is near that of all tokens
    everything = [item for row in rows for item in tokens(row)]
    for name, keyed in counts.items():
        best = {key: max(found, key=found.get) for key, found in keyed.items()}
        keys = [(p if name == "unigram" else (p, g), t) for p, g, t in everything]
        expected = np.mean([best.get(key) == token for key, token in keys])
        assert scores[name]["accuracy"] == pytest.approx(expected, abs=0.1)
        assert set(scores[name]) == {
            "loss",
            "accuracy",
            "accuracy_generator",
            "accuracy_sites",
            "accuracy_composition",
        }
    assert scores["space_group"]["accuracy"] > scores["unigram"]["accuracy"]
    assert scores["space_group"]["loss"] < scores["unigram"]["loss"] < np.log(len(tokenizer))


def test_baselines_see_the_tokens_that_the_model_is_scored_on(corpus, monkeypatch):
    seen = []

    class Recorder(MaskedBatch):
        def _mask(self, input_ids, rng):
            masked, labels = super()._mask(input_ids, rng)
            seen.append(labels)
            return masked, labels

    monkeypatch.setattr("sklearn_cloud.pretraining.scores.MaskedBatch", Recorder)
    rows = np.arange(0, len(corpus), 3)
    score_masked_tokens(PretrainingModel(TINY), corpus, rows)
    score_baselines(corpus, rows, rows)
    assert masking.IGNORED in seen[0]
    np.testing.assert_array_equal(seen[0], seen[1])


def test_missing_accelerate_says_how_to_install_it(corpus, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[pretraining\]'"):
        pretrain(corpus, tmp_path, config=TINY, epochs=1, batch_size=32, device_batch_size=32)
