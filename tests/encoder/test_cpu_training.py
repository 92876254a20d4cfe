"""The layers as they are trained on a CPU, against those of transformers."""

import pytest
import torch
from torch import nn

from sklearn_cloud.encoder import CloudModule, EncoderConfig, build_encoder, cls_vectors
from sklearn_cloud.encoder.cpu_training import dropout_factors

TINY = EncoderConfig(n_layers=3, n_heads=2, width=32, dropout=0.0)
IDS = torch.tensor([[1, 7, 8, 9, 10, 2], [1, 11, 12, 2, 0, 0], [1, 13, 2, 0, 0, 0]])


def reference(encoder, ids, mask):
    return encoder(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]


@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize("mask", [IDS != 0, torch.ones_like(IDS)], ids=["padding", "no padding"])
def test_results_are_those_of_transformers(n_layers, mask):
    torch.manual_seed(0)
    config = EncoderConfig(n_layers=n_layers, n_heads=2, width=32, dropout=0.0)
    encoder = build_encoder(config).train()
    with torch.no_grad():
        for weights in encoder.parameters():
            weights.normal_(std=0.2)  # biases and layer norms count too
        expected = reference(encoder, IDS, mask)
        found = cls_vectors(encoder, IDS, mask)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert not torch.equal(found, expected), "transformers' own layers were used"


def test_results_in_float64_are_exact():
    encoder = build_encoder(TINY).train().double()
    expected = reference(encoder, IDS, IDS != 0)
    found = cls_vectors(encoder, IDS, IDS != 0)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_gradients_are_those_of_transformers():
    encoder = build_encoder(TINY).train().double()
    gradients = []
    for vectors in (reference, cls_vectors):
        encoder.zero_grad()
        vectors(encoder, IDS, IDS != 0).pow(3).sum().backward()
        gradients.append({name: w.grad.clone() for name, w in encoder.named_parameters()})
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-9, atol=1e-12)


def test_gradients_in_bfloat16_are_close_and_weights_stay_in_float32():
    torch.manual_seed(0)
    module = CloudModule(TINY).train()
    gradients = []
    for module.bf16 in (False, True):
        module.zero_grad()
        module(IDS).sum().backward()
        assert {w.dtype for w in module.parameters()} == {torch.float32}
        gradients.append(torch.cat([w.grad.flatten() for w in module.parameters()]))
    assert not torch.equal(*gradients)
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99


def test_evaluation_is_that_of_transformers(monkeypatch):
    def refuse(*args):
        raise AssertionError("evaluation in the layers of the training")

    monkeypatch.setattr("sklearn_cloud.encoder.model.train_first_position", refuse)
    encoder = build_encoder(TINY)
    with torch.no_grad():
        cls_vectors(encoder.eval(), IDS, IDS != 0)
    with pytest.raises(AssertionError, match="evaluation"):
        cls_vectors(encoder.train(), IDS, IDS != 0)


@pytest.mark.parametrize("where", ["attention", "attention.output", "output"])
def test_every_dropout_acts(where):
    encoder = build_encoder(TINY).train()
    blocks = {
        "attention": encoder.encoder.layer[1].attention.self,
        "attention.output": encoder.encoder.layer[1].attention.output,
        "output": encoder.encoder.layer[1].output,
    }
    with torch.no_grad():
        without = cls_vectors(encoder, IDS, IDS != 0)
        blocks[where].dropout.p = 0.5
        assert not torch.equal(cls_vectors(encoder, IDS, IDS != 0), without)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_keeps_the_mean(p, dtype):
    torch.manual_seed(0)
    factors = dropout_factors(torch.empty(1000, 1001, dtype=dtype), nn.Dropout(p))
    assert factors.shape == (1000, 1001)
    assert factors.dtype == dtype
    values = factors.double()
    dropped, kept = values.unique().tolist()
    assert dropped == 0
    assert kept == pytest.approx(1 / (1 - p), rel=5e-3)  # bfloat16 has 8 bits
    assert (values == 0).double().mean().item() == pytest.approx(p, abs=0.002)
    # four factors come from one random number: they do not depend on each other
    columns = (values.flatten()[:1_000_000].view(-1, 4) == 0).double()
    correlations = torch.corrcoef(columns.T) - torch.eye(4, dtype=torch.float64)
    assert correlations.abs().max() < 0.01


@pytest.mark.parametrize("p", [1e-9, 1 - 1e-9])
def test_extreme_dropout(p):
    factors = dropout_factors(torch.empty(7), nn.Dropout(p))
    assert factors.isfinite().all()


def test_no_dropout_draws_nothing():
    state = torch.get_rng_state()
    assert dropout_factors(torch.empty(7), nn.Dropout(0.0)) is None
    assert torch.equal(torch.get_rng_state(), state)


def test_dropout_follows_the_seed():
    def draw(seed):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return dropout_factors(torch.empty(50, 3), nn.Dropout(0.3))

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))
