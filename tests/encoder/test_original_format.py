"""Checkpoints of the original implementation, against transformers' own reader of that format."""

import gzip
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizer

from sklearn_cloud.encoder import (
    CloudModule,
    EncoderConfig,
    OriginalTokenizer,
    SymmetryTokenizer,
    build_encoder,
    load_encoder,
    save_encoder,
)
from sklearn_cloud.encoder.original_format import original_string
from sklearn_cloud.estimators import CloudClassifier, CloudEmbedder, CloudRegressor
from sklearn_cloud.symmetry.generators import generator_string

LETTERS = "ABCDEFGHIKLMNOPRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WHOLE = "2a 1a 4a 4e 4c 2b 4b 8f Li Na Rb Zr Cl".split()
#: The order of the special tokens is that format's: [CLS] is 0, [PAD] is 1.
WORDS = [
    *("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", "."),
    *"0123456789",
    *LETTERS,
    "|",
    *(f"##{character}" for character in "0123456789abcdefghijklmnopqrstuvwxyzA"),
    *WHOLE,
]
FRACTIONS = [str(round(i / 100, 2)) for i in range(101)]
N_TOKENS = len(WORDS) + len(FRACTIONS)
STRINGS = [
    "0 3 a D D O b O O O j O O O 0 | 4a 8f | Rb 0.33 Zr 0.17 O 0.5",
    "1 3 b O O O g O D D c O O O 1 X Y Z | 8A 192l | F 1.0",
    "4a 16k | O 0.07 Og 0.93",
    "0 0 0 | 1a | Na 0.5 Cl 0.5",
    "0 0 0",
    "2b 2a",
    "Fr 0.0 C 1.0",
]


def write_tokenizer(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS))
    added = {fraction: len(WORDS) + i for i, fraction in enumerate(FRACTIONS)}
    (folder / "added_tokens.json").write_text(json.dumps(added))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"do_lower_case": False, "tokenizer_class": "BertTokenizer"})
    )
    special = {f"{k}_token": f"[{k.upper()}]" for k in ("cls", "mask", "pad", "sep", "unk")}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))


@pytest.fixture(scope="module")
def tokenizer():
    return OriginalTokenizer(WORDS, FRACTIONS)


@pytest.fixture(scope="module")
def model():
    """A masked language model of that layout, with more embedding rows than tokens."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=N_TOKENS + 30, num_hidden_layers=1, num_attention_heads=2, hidden_size=32,
            intermediate_size=64, max_position_embeddings=64, initializer_range=0.2,
        )  # fmt: skip
        return BertForMaskedLM(config).eval()


@pytest.fixture
def folder(model, tmp_path):
    """As that implementation publishes it, except for safetensors instead of a pickle."""
    model.save_pretrained(tmp_path / "original")
    write_tokenizer(tmp_path / "original")
    return tmp_path / "original"


def rewrite(folder, change):
    weights = load_file(folder / "model.safetensors")
    save_file(change(weights) or weights, folder / "model.safetensors")


def test_ids_are_those_of_transformers(folder, tokenizer):
    reference = BertTokenizer.from_pretrained(folder)
    assert len(reference) == len(tokenizer) == N_TOKENS
    for string in STRINGS:
        assert tokenizer.encode(string) == reference(string)["input_ids"], string
    assert (tokenizer.cls_id, tokenizer.pad_id) == (0, 1) == (
        reference.cls_token_id, reference.pad_token_id,
    )  # fmt: skip
    assert (tokenizer.sep_id, tokenizer.mask_id) == (2, 4)
    assert tokenizer.tokens("Fr 0.0 O 1.0") == ["[CLS]", "F", "##r", "0.0", "O", "1.0", "[SEP]"]


def published_files():
    data = os.environ.get("SKLEARN_CLOUD_DATA")
    folder = Path(data) / "official" if data else None
    if folder is None or not (folder / "vocab.txt").is_file():
        pytest.skip("SKLEARN_CLOUD_DATA names no folder with the published tokenizer")
    return folder


def test_published_example_strings():
    folder = published_files()
    with gzip.open(folder / "example_strings_10k.csv.gz", "rt") as file:
        strings = file.read().splitlines()[1:]
    tokenizer = OriginalTokenizer.from_pretrained(folder)
    reference = BertTokenizer.from_pretrained(folder)
    assert len(tokenizer) == len(reference) == 564
    # One of the strings has the species X, which is not an element.
    strings = [string for string in strings if "| X " not in string]
    assert len(strings) == 9999
    expected = reference(strings)["input_ids"]
    assert tokenizer.encode_batch(strings) == expected


def test_published_vocabulary_reads_every_symbol():
    folder = published_files()
    tokenizer = OriginalTokenizer.from_pretrained(folder)
    reference = BertTokenizer.from_pretrained(folder)
    ours = SymmetryTokenizer()
    wyckoff = next(iter(ours._tables["sites"]))
    elements, fractions = ours._tables["composition"]
    strings = [word for word in wyckoff if word[0].isdigit()]
    strings += [f"{element} 1.0" for element in elements]
    strings += [f"O {fraction}" for fraction in fractions]
    for number in range(1, 231):
        strings.append(original_string(" ".join(generator_string(number))))
    assert len(strings) == 186 + 118 + 101 + 230
    assert tokenizer.encode_batch(strings) == reference(strings)["input_ids"]


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        # sites with elements: each symbol once, in the order of the elements
        ("4a O x2 8c Na | Na 0.5 O 0.5", "8c 4a | Na 0.5 O 0.5"),
        ("0 0 0 | 1a O x10 x2 1a Na | Na 0.08 O 0.92", "0 0 0 | 1a | Na 0.08 O 0.92"),
        ("4a O 4b Na Rb 8c Na | Rb 0.2 Na 0.3 O 0.5", "4b 8c 4a | Rb 0.2 Na 0.3 O 0.5"),
        ("4a O 8c Na", "4a 8c"),
        # no elements: nothing tells another order
        ("4a 8c | Na 0.5 O 0.5", "4a 8c | Na 0.5 O 0.5"),
        ("Na 0.5 O 0.5", "Na 0.5 O 0.5"),
        ("0 0 0", "0 0 0"),
        ("0 3 a O D D b O O O j O D O 0 | 4a", "0 3 a O D D b O O O c O D O 0 | 4a"),
    ],
)
def test_strings_are_written_as_in_the_original(string, expected, tokenizer):
    assert original_string(string) == expected
    assert original_string(expected) == expected
    assert tokenizer.encode(string) == tokenizer.encode(expected)


def test_two_generator_strings_are_not_ours():
    ours = [" ".join(generator_string(number)) for number in range(1, 231)]
    changed = [number for number, string in enumerate(ours, 1) if original_string(string) != string]
    assert changed == [39, 131]
    # Each of the two is written as no other space group is.
    assert not {original_string(ours[number - 1]) for number in changed} & set(ours)


@pytest.mark.parametrize(
    ("string", "message"),
    [
        ("NaCl", "'NaCl' at position 0"),
        ("4q9", "'4q9' at position 0"),
        ("O 1.5", "'1.5' at position 1"),
        ("[MASK]", "MASK"),
    ],
)
def test_what_is_no_symmetry_string_is_refused(tokenizer, string, message):
    with pytest.raises(ValueError, match=message):
        tokenizer.encode(string)
    with pytest.raises(ValueError, match=f"Row 1: .*{message}"):
        tokenizer.encode_batch(["1a", string])


def test_words_outside_the_vocabulary_are_never_unknown_tokens():
    words = [word for word in WORDS if word != "##k"]
    tokenizer = OriginalTokenizer(words, FRACTIONS[:60])
    assert tokenizer.encode("O 0.59")
    with pytest.raises(ValueError, match="Token '16k' is not in the vocabulary of this"):
        tokenizer.encode("16k")
    with pytest.raises(ValueError, match="Token '0.6' is not in the vocabulary of this"):
        tokenizer.encode("O 0.6")


def test_saved_tokenizer_is_read_by_both(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "new")
    read = OriginalTokenizer.from_pretrained(tmp_path / "new")
    reference = BertTokenizer.from_pretrained(tmp_path / "new")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert read.vocabulary == copy.vocabulary == tokenizer.vocabulary
    for string in STRINGS:
        expected = tokenizer.encode(string)
        assert read.encode(string) == copy.encode(string) == expected
        assert reference(string)["input_ids"] == expected


def test_checkpoint_gives_the_vectors_of_transformers(folder, model):
    checkpoint = load_encoder(folder)
    assert isinstance(checkpoint.tokenizer, OriginalTokenizer)
    assert checkpoint.config.vocabulary_size == N_TOKENS + 30
    assert checkpoint.config.pad_id == 1
    reference = BertTokenizer.from_pretrained(folder)
    batch = reference(STRINGS, padding=True, return_tensors="pt")
    assert (batch["input_ids"] == 1).any()
    bert = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    with torch.no_grad():
        expected = bert(batch["input_ids"], batch["attention_mask"]).last_hidden_state
    embedder = CloudEmbedder(folder).fit(STRINGS)
    vectors = embedder.transform(STRINGS)
    np.testing.assert_allclose(vectors, expected[:, 0], rtol=0, atol=1e-5)
    assert np.abs(vectors[0] - vectors[3]).max() > 0.1
    means = embedder.set_params(pooling="mean").transform(STRINGS)
    mask = batch["attention_mask"][:, :, None]
    expected = (expected * mask).sum(dim=1) / mask.sum(dim=1)
    np.testing.assert_allclose(means, expected, rtol=0, atol=1e-5)


def _prefix(prefix):
    def change(weights):
        return {
            prefix + name.removeprefix("bert."): tensor
            for name, tensor in weights.items()
            if name.startswith("bert.")
        }

    return change


def _with_position_ids(weights):
    weights["bert.embeddings.position_ids"] = torch.arange(64)[None]
    weights["bert.pooler.dense.weight"] = torch.zeros(32, 32)
    weights["cls.seq_relationship.weight"] = torch.zeros(2, 32)


@pytest.mark.parametrize("change", [_prefix(""), _prefix("encoder."), _with_position_ids])
def test_names_of_weights_follow_the_rule(folder, change):
    expected = load_encoder(folder).weights
    rewrite(folder, change)
    weights = load_encoder(folder).weights
    assert set(weights) == set(expected)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def _edit_json(folder, name, **changes):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _drop(name):
    return lambda weights: {k: v for k, v in weights.items() if name not in k}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: rewrite(d, _drop("LayerNorm.bias")), "missing .*LayerNorm.bias"),
        (
            lambda d: rewrite(d, lambda w: w.update(head=torch.zeros(2))),
            "do not belong to an encoder: ..head..",
        ),
        (
            lambda d: rewrite(d, lambda w: w.update({"bert.adapter": torch.zeros(2)})),
            "unexpected .*adapter",
        ),
        (lambda d: _edit_json(d, "config.json", vocab_size=N_TOKENS - 1), "encoder has .* tokens"),
        (lambda d: _edit_json(d, "config.json", vocab_size=N_TOKENS), "has shape"),
        (lambda d: _edit_json(d, "config.json", hidden_act="relu"), "hidden_act='relu'"),
        (lambda d: _edit_json(d, "config.json", is_decoder=True), "is_decoder=True"),
        (lambda d: (d / "added_tokens.json").unlink(), "no added_tokens.json"),
        (lambda d: (d / "tokenizer_config.json").unlink(), "no tokenizer_config.json"),
        (lambda d: (d / "added_tokens.json").write_text("{"), "cannot be read"),
        (lambda d: (d / "added_tokens.json").write_text("[]"), "not a JSON object"),
        (lambda d: _edit_json(d, "added_tokens.json", **{"0.5": 7}), "do not follow"),
        (lambda d: _edit_json(d, "tokenizer_config.json", do_lower_case=True), "do_lower_case"),
        (
            lambda d: (d / "vocab.txt").write_text("\n".join(["x", *WORDS[1:]])),
            "twice|no .CLS.",
        ),
        (lambda d: (d / "vocab.txt").write_text("\n".join(["J", *WORDS[1:]])), "no .CLS."),
        (lambda d: SymmetryTokenizer().save_pretrained(d), "tokenizers in two formats"),
        (lambda d: (d / "model.safetensors").unlink(), "no weights file model.safetensors.$"),
    ],
)
def test_damaged_checkpoints_are_refused(folder, damage, message):
    damage(folder)
    with pytest.raises(ValueError, match=message):
        load_encoder(folder)


def test_pickled_weights_are_refused_with_a_recipe_that_works(folder, monkeypatch):
    expected = load_encoder(folder).weights
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    # A masked language model shares one tensor between embedding and output.
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"]
    torch.save(weights, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match="pickle.*not opened.*convert") as error:
        load_encoder(folder)
    recipe = str(error.value)[str(error.value).index("import torch") :]
    monkeypatch.chdir(folder)
    exec(recipe, {})
    assert all(torch.equal(load_encoder(folder).weights[k], v) for k, v in expected.items())


def test_our_format_keeps_its_tokenizer_and_padding(folder, tmp_path):
    with pytest.raises(ValueError, match="pad_id=1, but the tokenizer 0"):
        load_encoder(EncoderConfig(pad_id=1))
    with pytest.raises(ValueError, match="pad_id"):
        EncoderConfig(pad_id=472)
    config = EncoderConfig(n_layers=1, n_heads=2, width=16)
    # What was written before there was a choice stays equal to what is written now.
    assert "pad_id" not in config.to_dict()
    assert EncoderConfig(**config.to_dict()) == config
    original = load_encoder(folder).config
    assert EncoderConfig(**original.to_dict()) == original
    saved = load_encoder(save_encoder(tmp_path / "ours", build_encoder(config), config))
    assert isinstance(saved.tokenizer, SymmetryTokenizer)
    assert saved.config == config


def test_save_encoder_keeps_the_format(folder, tmp_path):
    checkpoint = load_encoder(folder)
    save_encoder(tmp_path / "again", checkpoint.build(), checkpoint.config, checkpoint.tokenizer)
    again = load_encoder(tmp_path / "again")
    assert again.config == checkpoint.config
    assert again.tokenizer.vocabulary == checkpoint.tokenizer.vocabulary
    for name, tensor in checkpoint.weights.items():
        torch.testing.assert_close(again.weights[name], tensor, rtol=1e-3, atol=1e-6)


@pytest.fixture
def data():
    rng = np.random.RandomState(0)
    fractions = rng.randint(10, 90, size=40) / 100
    strings = [
        f"{rng.choice(['0 0 0 | ', ''])}{rng.choice(['4a', '2a 2b'])} | Na {round(1 - x, 2)} Cl {x}"
        for x in fractions
    ]
    return strings, fractions


def test_batches_of_the_training_are_padded_with_its_own_token(folder, data, monkeypatch):
    modes, forward = set(), CloudModule.forward

    def spy(self, input_ids):
        modes.add(self.training)
        # Only the first token is [CLS], which is 0; what fills up a row is 1.
        assert (input_ids[:, 0] == 0).all()
        assert (input_ids[:, 1:] != 0).all()
        return forward(self, input_ids)

    monkeypatch.setattr(CloudModule, "forward", spy)
    CloudRegressor(folder, max_epochs=1, batch_size=40, random_state=0).fit(*data)
    assert modes == {True, False}


def test_fit_predict_save_and_pickle(folder, data, tmp_path):
    strings, y = data
    model = CloudRegressor(
        folder, max_epochs=3, batch_size=8, learning_rate=1e-3, random_state=0
    ).fit(strings, y)
    assert isinstance(model.tokenizer_, OriginalTokenizer)
    expected = model.predict(strings)
    assert np.ptp(expected) > 0
    # Were padding taken for tokens, the longest string of a batch would move the others.
    alone = np.concatenate([model.predict([string]) for string in strings[:10]])
    np.testing.assert_allclose(alone, expected[:10], rtol=1e-5)

    copy = pickle.loads(pickle.dumps(model))
    assert copy.tokenizer_.vocabulary == model.tokenizer_.vocabulary
    assert (copy.predict(strings) == expected).all()
    model.save_pretrained(tmp_path / "model")
    read = CloudRegressor.from_pretrained(tmp_path / "model")
    assert (read.predict(strings) == expected).all()
    assert read.encoder_config_ == model.encoder_config_
    assert read.encoder_config_.pad_id == 1


def test_classifier_and_embedder(folder, data):
    strings, y = data
    labels = np.where(y > 0.5, "anion-rich", "cation-rich")
    model = CloudClassifier(folder, max_epochs=2, random_state=0).fit(strings, labels)
    assert model.predict_proba(strings).shape == (40, 2)
    embedder = CloudEmbedder(folder).fit(strings)
    copy = pickle.loads(pickle.dumps(embedder))
    assert (copy.transform(strings) == embedder.transform(strings)).all()
    assert embedder.get_feature_names_out()[-1] == "cloudembedder31"
