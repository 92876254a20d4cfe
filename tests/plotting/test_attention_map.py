import numpy as np
import pytest
import torch

from sklearn_cloud import CloudClassifier
from sklearn_cloud.encoder.attention_weights import attention_rollout
from sklearn_cloud.explanations import attention_map

NACL = "0 1 b O O O 0 | 1a Na 1b Cl | Na 0.5 Cl 0.5"


@pytest.mark.parametrize("kind", ["regressor", "classifier", "embedder"])
def test_every_estimator_has_attention(kind, request):
    attention = attention_map(request.getfixturevalue(kind), NACL)
    assert attention.tokens == ("[CLS]", *NACL.split(" "), "[SEP]")
    assert attention.weights.shape == (2, 2, 19, 19)
    np.testing.assert_allclose(attention.weights.sum(axis=-1), 1, rtol=1e-5)


def test_attention_is_that_of_the_fitted_encoder(tiny, strings):
    labels = ["a", "b", "a", "b", "a"]
    untrained, trained = (
        CloudClassifier(tiny, max_epochs=5, learning_rate=rate, random_state=0).fit(
            strings * 4, labels * 4
        )
        for rate in (1e-9, 1e-2)
    )
    first, second = (attention_map(model, NACL).weights for model in (untrained, trained))
    assert np.abs(first - second).max() > 1e-3


def test_one_matrix_of_the_map(regressor):
    attention = attention_map(regressor, NACL)
    np.testing.assert_array_equal(attention.select(1, 0), attention.weights[1, 0])
    np.testing.assert_allclose(attention.select(-1), attention.weights[1].mean(axis=0))
    np.testing.assert_allclose(attention.select(), attention_rollout(attention.weights))


@pytest.mark.parametrize(
    ("layer", "head", "message"),
    [
        (2, None, "layer must be an integer from 0 to 1"),
        (0, 5, "head must be an integer"),
        (None, 0, "needs a layer"),
    ],
)
def test_matrix_that_is_not_there(regressor, layer, head, message):
    with pytest.raises(ValueError, match=message):
        attention_map(regressor, NACL).select(layer, head)


def test_a_crystal_in_a_pipeline(pipeline, crystals):
    string = pipeline[:-1].transform(crystals[0][:1])[0]
    of_crystal, of_string = attention_map(pipeline, crystals[0][0]), attention_map(pipeline, string)
    assert of_crystal.string == string
    np.testing.assert_array_equal(of_crystal.weights, of_string.weights)


def test_a_truncated_string(tiny, strings):
    from sklearn_cloud import CloudEmbedder
    from sklearn_cloud.encoder import EncoderConfig

    short = EncoderConfig(n_layers=1, n_heads=2, width=16, max_positions=8)
    embedder = CloudEmbedder(short, on_too_long="truncate").fit(strings)
    assert attention_map(embedder, NACL).tokens == ("[CLS]", *NACL.split(" ")[:6], "[SEP]")
    with pytest.raises(ValueError, match="at most 8"):
        attention_map(embedder.set_params(on_too_long="raise"), NACL)


def test_gradients_are_not_recorded(regressor):
    assert torch.is_grad_enabled()
    attention_map(regressor, NACL)
    assert torch.is_grad_enabled()
