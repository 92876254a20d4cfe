import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from sklearn_cloud.encoder import EncoderConfig, SymmetryTokenizer, build_encoder
from sklearn_cloud.encoder.attention_weights import attention_rollout, attention_weights

STRINGS = ["0 1 b O O O 0 | 1a Na 1b Cl | Na 0.5 Cl 0.5", "8a Si | Si 1.0"]


@pytest.fixture
def batch():
    ids = SymmetryTokenizer().encode_batch(STRINGS)
    longest = max(map(len, ids))
    padded = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
    return padded, padded != 0


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return build_encoder(EncoderConfig(n_layers=3, n_heads=2, width=16)).eval()


def test_weights_are_those_of_transformers(encoder, batch):
    config = EncoderConfig(n_layers=3, n_heads=2, width=16)
    eager = BertModel(
        BertConfig(**config.to_bert(), attn_implementation="eager"), add_pooling_layer=False
    ).eval()
    eager.load_state_dict(encoder.state_dict())
    ids, mask = batch
    expected = eager(input_ids=ids, attention_mask=mask, output_attentions=True).attentions
    torch.testing.assert_close(attention_weights(encoder, ids, mask), torch.stack(expected))


def test_padding_is_not_attended_to(encoder, batch):
    ids, mask = batch
    weights = attention_weights(encoder, ids, mask)
    length = int(mask[1].sum())
    assert (weights[:, 1, :, :, length:] == 0).all()
    alone = attention_weights(encoder, ids[1:, :length], mask[1:, :length])
    torch.testing.assert_close(weights[:, 1:, :, :length, :length], alone)


def test_the_encoder_is_left_as_it_was(encoder, batch):
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    implementation = encoder.config._attn_implementation
    attention_weights(encoder, *batch)
    assert encoder.config._attn_implementation == implementation == "sdpa"
    assert all(torch.equal(before[name], t) for name, t in encoder.state_dict().items())
    assert all(p.requires_grad for p in encoder.parameters())


def test_rollout_multiplies_the_layers():
    first, second = np.array([[0.2, 0.8], [0.6, 0.4]]), np.array([[1.0, 0.0], [0.5, 0.5]])
    weights = np.stack([[first, first], [second, second]])
    expected = (second + np.eye(2)) / 2 @ (first + np.eye(2)) / 2
    np.testing.assert_allclose(attention_rollout(weights), expected)


def test_rollout_averages_the_heads():
    rng = np.random.RandomState(0)
    weights = rng.dirichlet(np.ones(5), size=(3, 4, 5))
    rollout = attention_rollout(weights)
    np.testing.assert_allclose(rollout.sum(axis=1), 1)
    mean = weights.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(attention_rollout(mean), rollout)
