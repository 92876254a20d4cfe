import pytest
import torch

from sklearn_cloud.encoder import (
    ENCODER_SIZES,
    CloudModule,
    EncoderConfig,
    SymmetryTokenizer,
    build_encoder,
    cls_vectors,
)

TINY = EncoderConfig(n_layers=2, n_heads=2, width=32)


@pytest.fixture(scope="module")
def batch():
    strings = ["0 0 0 | 1a | O 1.0", "0 3 a D D O b O O O j O O O 0 | 4a 8b | Rb 0.5 O 0.5"]
    encoded = SymmetryTokenizer().to_hugging_face()(strings, padding=True, return_tensors="pt")
    return encoded["input_ids"], encoded["attention_mask"]


@pytest.mark.parametrize("config", [TINY, EncoderConfig(n_layers=1, n_heads=4, width=16)])
def test_cls_vectors_are_those_of_the_whole_encoder(config, batch):
    encoder = build_encoder(config).eval().double()
    input_ids, attention_mask = batch
    with torch.no_grad():
        whole = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        vectors = cls_vectors(encoder, input_ids, attention_mask)
    torch.testing.assert_close(vectors, whole[:, 0], rtol=1e-12, atol=1e-12)


def test_gradients_are_those_of_the_whole_encoder(batch):
    encoder = build_encoder(TINY).eval().double()
    input_ids, attention_mask = batch
    gradients = []
    for vectors in (
        encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state[:, 0],
        cls_vectors(encoder, input_ids, attention_mask),
    ):
        encoder.zero_grad()
        vectors.pow(3).sum().backward()
        gradients.append([p.grad.clone() for p in encoder.parameters()])
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-9, atol=1e-12)


def test_dropout_acts_in_training_only(batch):
    module = CloudModule(TINY)
    assert not torch.equal(module.train()(batch[0]), module(batch[0]))
    assert torch.equal(module.eval()(batch[0]), module(batch[0]))


def test_padding_does_not_change_the_output(batch):
    module = CloudModule(TINY, n_outputs=3, head_layers=2, head_width=8).eval()
    input_ids, attention_mask = batch
    short = input_ids[:1, : attention_mask[0].sum()]
    assert module(input_ids).shape == (2, 3)
    torch.testing.assert_close(module(short), module(input_ids)[:1])


def test_bf16_is_for_training_only(batch):
    config = EncoderConfig(n_layers=1, n_heads=2, width=32, dropout=0.0)
    module = CloudModule(config, bf16=True)
    mixed, exact = module.train()(batch[0]), module.eval()(batch[0])
    assert mixed.dtype == exact.dtype == torch.float32
    assert not torch.equal(mixed, exact)
    torch.testing.assert_close(mixed, exact, rtol=0.1, atol=0.02)


@pytest.mark.parametrize("n_hidden", [1, 2, 3])
def test_head_has_the_asked_layers(n_hidden):
    head = CloudModule(TINY, head_layers=n_hidden, head_width=8).head
    linear = [layer for layer in head if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [8] * n_hidden + [1]
    assert sum(isinstance(layer, torch.nn.SiLU) for layer in head) == n_hidden


def test_paper_size_is_table_4():
    paper = ENCODER_SIZES["paper"]
    assert (paper.n_layers, paper.n_heads, paper.width) == (12, 12, 768)
    assert paper.max_positions == 64


def test_bert_names_round_trip():
    config = EncoderConfig(3, 2, 32, intermediate=48, max_positions=70, dropout=0.2)
    assert EncoderConfig.from_bert(config.to_bert()) == config
    bert = config.to_bert()
    del bert["hidden_size"]
    with pytest.raises(ValueError, match="hidden_size"):
        EncoderConfig.from_bert(bert)
    with pytest.raises(ValueError, match="gpt2"):
        EncoderConfig.from_bert({"model_type": "gpt2"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_layers": 0}, "n_layers"),
        ({"width": 10.5}, "width"),
        ({"width": 30, "n_heads": 4}, "multiple"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_impossible_shapes_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        EncoderConfig(**changes)
