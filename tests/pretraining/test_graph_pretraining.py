import json

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from pymatgen.core import Lattice, Structure
from safetensors.torch import load_file, save

from sklearn_cloud import CrystalError, GraphRegressor
from sklearn_cloud.datasets import load_example
from sklearn_cloud.graphs.graph_checkpoints import load_graph_network
from sklearn_cloud.graphs.graph_config import GraphConfig
from sklearn_cloud.graphs.merged_graphs import collate_merged
from sklearn_cloud.pretraining import (
    graph_corpus,
    graph_pretraining,
    pretrain_graphs,
    read_graph_corpus,
)
from sklearn_cloud.pretraining.objectives.disturbed_graphs import DisturbedGraphs, disturb

SHAPE = GraphConfig(width=16, n_blocks=2, message_layers=2)


@pytest.fixture(scope="module")
def crystals():
    return list(load_example().structures[:40])


@pytest.fixture(scope="module")
def corpus(crystals):
    return read_graph_corpus(crystals, SHAPE)


def train(corpus, folder, **options):
    options = {"epochs": 2, "batch_size": 8, "held_out": 0.1, "device": "cpu"} | options
    return pretrain_graphs(corpus, folder, config=SHAPE, **options)


def test_the_corpus_has_each_crystal_once(crystals, corpus):
    twice = read_graph_corpus(crystals + crystals[::-1], SHAPE)
    assert len(twice.graphs) == len(corpus.graphs) <= len(crystals)
    assert twice.fingerprint == corpus.fingerprint
    assert corpus.numbers.dtype == np.float32 and len(corpus.numbers) == len(corpus.graphs)
    assert np.nanmax(np.abs(corpus.numbers)) <= 6


def test_disturbed_distances_and_hidden_elements(corpus):
    batch = collate_merged(corpus.graphs)
    rng = np.random.default_rng(0)
    disturbed = disturb(batch, rng)
    factor = (0.06 * disturbed["change"]).exp()
    torch.testing.assert_close(disturbed["distances"], batch["distances"] * factor)
    crystal = torch.repeat_interleave(batch["sizes"])[batch["centers"]]
    noise = disturbed["change"] - disturbed["strain"][crystal]
    assert 0.2 < float(noise[noise != 0].std()) < 0.5  # 0.02 in units of 0.06
    undisturbed = disturbed["strain"] == 0
    assert 0.1 < float(undisturbed.float().mean()) < 0.5
    assert torch.all(noise[undisturbed[crystal]] == 0)
    shared = torch.bincount(batch["sites"]) > 1
    assert not disturbed["hidden"][shared].any()
    assert 0 < float(disturbed["hidden"].float().mean()) < 0.4


def test_hidden_elements_are_not_seen(corpus):
    """The loss of a hidden element does not depend on what the input says it is."""
    batch = collate_merged(corpus.graphs[:8])
    disturbed = disturb(batch, np.random.default_rng(1))
    numbers = torch.from_numpy(corpus.numbers[:8])
    model = DisturbedGraphs(SHAPE, numbers.shape[1]).eval()
    hidden = disturbed["hidden"][batch["sites"]]
    other = {**batch, "elements": torch.where(hidden, 0, batch["elements"])}
    losses = [model(one, disturbed, numbers) for one in (batch, other)]
    for name in ("bond_loss", "crystal_loss"):
        torch.testing.assert_close(losses[0][name], losses[1][name])


def test_training_lowers_the_losses_and_gives_a_network(corpus, crystals, tmp_path):
    result = train(corpus, tmp_path, epochs=30, learning_rate=0.01)
    first, last = (result["history"][i]["train"] for i in (0, -1))
    assert last["element_loss"] < first["element_loss"]
    assert last["crystal_loss"] < first["crystal_loss"]
    assert load_graph_network(result["network"]).metadata["pretraining"]["epochs"] == 30
    model = GraphRegressor(result["network"], max_epochs=1, validation_fraction=0, random_state=0)
    assert model.fit(crystals, np.arange(40.0)).predict(crystals).shape == (40,)


def test_an_interrupted_training_resumes_with_the_same_result(corpus, tmp_path, monkeypatch):
    whole = train(corpus, tmp_path / "whole")
    save = graph_pretraining._save

    def interrupt(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(graph_pretraining, "_save", interrupt)
        train(corpus, tmp_path / "parts")
    parts = train(corpus, tmp_path / "parts")
    assert parts["history"] == whole["history"]
    weights = [load_graph_network(one["network"]).weights for one in (whole, parts)]
    for name, weight in weights[0].items():
        assert_array_equal(weight, weights[1][name])
    assert json.loads((tmp_path / "parts" / "history.json").read_text())["plan"] == whole["plan"]


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"epochs": 0}, ValueError, "epochs must be a positive integer, got 0"),
        ({"epochs": True}, ValueError, "epochs must be a positive integer, got True"),
        ({"epochs": "2"}, ValueError, "epochs must be a positive integer"),
        ({"batch_size": 2.5}, ValueError, "batch_size must be a positive integer, got 2.5"),
        ({"held_out": 1.0}, ValueError, "held_out must be in"),
        ({"held_out": None}, ValueError, "held_out must be in"),
        ({"held_out": 0.999}, ValueError, "leaves none of .* crystals for training"),
        ({"learning_rate": float("inf")}, ValueError, "learning_rate must be positive"),
        ({"weight_decay": -1}, ValueError, "weight_decay must be zero or positive"),
        ({"random_state": None}, ValueError, "random_state must be an integer from 0"),
        ({"random_state": np.random.RandomState(0)}, ValueError, "random_state must be an integer"),
        ({"random_state": -1}, ValueError, "random_state must be an integer"),
        ({"metadata": [1]}, TypeError, "metadata must be a dictionary"),
        ({"metadata": {"a": object()}}, TypeError, "metadata cannot be saved as JSON"),
    ],
)
def test_wrong_parameters_leave_nothing_behind(corpus, tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        train(corpus, tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_numbers_of_numpy_are_parameters(corpus, tmp_path):
    options = {"epochs": np.int64(1), "held_out": np.float32(0.1), "random_state": np.int64(1)}
    assert len(train(corpus, tmp_path, **options)["history"]) == 1


def test_what_is_no_corpus_or_no_shape(corpus, crystals, tmp_path):
    with pytest.raises(TypeError, match="got list: pass read_graph_corpus"):
        train(crystals, tmp_path)
    with pytest.raises(TypeError, match="config must be a GraphConfig or None, got 3"):
        pretrain_graphs(corpus, tmp_path, config=3)


def test_a_learning_rate_that_is_far_too_high(corpus, tmp_path):
    with pytest.raises(ValueError, match="loss of epoch 1 is not a number.*learning_rate"):
        train(corpus, tmp_path, learning_rate=1e30)
    assert not (tmp_path / "network").exists()


def test_a_damaged_state_is_refused_and_the_message_says_what_to_do(corpus, tmp_path):
    whole = train(corpus, tmp_path, epochs=1)
    state = tmp_path / "state.safetensors"
    content = state.read_bytes()
    no_history = {name: one.clone() for name, one in load_file(state).items() if name != "history"}
    for damaged in (b"", content[:200], content[:-1], save(no_history)):
        state.write_bytes(damaged)
        with pytest.raises(ValueError, match="state.safetensors is damaged .*: remove it"):
            train(corpus, tmp_path, epochs=1)
    state.unlink()
    assert train(corpus, tmp_path, epochs=1)["history"] == whole["history"]


ATOM = Structure(Lattice.cubic(3), ["Fe"], [[0, 0, 0]])
LONELY = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])
SHARED = Structure(Lattice.cubic(4), [{"Fe": 0.5, "Ni": 0.3}], [[0, 0, 0]])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("few", [[ATOM], [LONELY], [SHARED], [ATOM, LONELY, SHARED]])
def test_few_crystals_without_bonds_or_known_numbers_have_finite_losses(few, tmp_path):
    losses = train(read_graph_corpus(few, SHAPE), tmp_path, held_out=0)["history"][-1]["train"]
    assert np.isfinite(list(losses.values())).all()


def test_rows_of_a_corpus_that_cannot_be_used(crystals, monkeypatch):
    with pytest.warns(UserWarning, match=r"rows \[1\]"):
        assert len(read_graph_corpus([ATOM, "NaCl", LONELY]).graphs) == 2
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="no crystal has a symmetry"):
        read_graph_corpus(["NaCl"])
    for one in (ATOM, "NaCl"):
        with pytest.raises(TypeError, match="expected a list, array or Series"):
            read_graph_corpus(one)

    def fail(config, crystal):
        raise ValueError("no graph")

    monkeypatch.setattr(graph_corpus, "read_graph", fail)
    with pytest.raises(CrystalError, match="2 of 4 rows .*row 0: no graph; row 3: no graph"):
        read_graph_corpus([ATOM, ATOM, ATOM, LONELY])


def test_another_training_in_the_folder(corpus, tmp_path):
    train(corpus, tmp_path, epochs=1)
    with pytest.raises(ValueError, match="other settings .*learning_rate"):
        train(corpus, tmp_path, epochs=1, learning_rate=1e-5)
    with pytest.raises(ValueError, match="other neighbours"):
        pretrain_graphs(corpus, tmp_path / "new", config=GraphConfig(max_neighbors=6))
