"""Other languages than symmetry strings: tokens of baselines, pre-trained by the same code."""

import numpy as np
import pytest
import torch
from corpora import make_crystals, make_records

from sklearn_cloud.baselines import (
    MatInFormerLanguage,
    MatInFormerRegressor,
    SlicesBertRegressor,
    SlicesLanguage,
)
from sklearn_cloud.encoder import EncoderConfig, load_encoder
from sklearn_cloud.exceptions import ModelFolderError
from sklearn_cloud.pretraining import Corpus, CorpusSource, build_corpus, pretrain
from sklearn_cloud.pretraining.corpus import JoinedCorpus, held_out_rows
from sklearn_cloud.pretraining.masking import IGNORED, MaskedBatch

SHAPE = {"n_layers": 1, "n_heads": 2, "width": 16}
CASES = {
    "matinformer": (MatInFormerLanguage(), MatInFormerRegressor, {}),
    "slices": (SlicesLanguage(64), SlicesBertRegressor, {"max_tokens": 64}),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    """Language, corpus of crystals and records, and its estimator with a small network."""
    language, estimator, parameters = CASES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    source = CorpusSource("made up", [*make_crystals(), *make_records(20)])
    corpus = build_corpus(folder, [source], language=language, symprec=0.1)
    model = estimator(**SHAPE, **parameters, max_epochs=1, random_state=0, device="cpu")
    return language, corpus, model


def test_rows_are_what_the_estimator_reads(case):
    language, corpus, model = case
    crystals = [crystal for _, crystal in make_crystals()]
    inputs = model._read(model._check_rows(crystals))
    rows = {tuple(corpus[row][0].tolist()) for row in range(len(corpus))}
    for i, one in enumerate(inputs.distinct):
        ids = model._collate([one])["input_ids"][0].tolist()
        assert tuple(ids) in rows, i
        assert ids == list(map(int, ids)) and max(ids) < language.mask_id
    assert len(corpus) == (24 if language.name == "slices" else 44)


def test_vocabulary(case):
    language, corpus, model = case
    assert model._config().vocabulary_size == language.mask_id == len(language.vocabulary) - 1
    assert language.vocabulary[language.pad_id] == "[PAD]"
    tokens = [language.vocabulary[i] for i in corpus[0][0]]
    parts = [language.parts[i] for i in language.part_ids(corpus[0][0])]
    assert (tokens[0], parts[0]) == ("[CLS]", "special")
    assert set(parts) == set(language.parts)


def test_words_alone_are_masked(case):
    language, corpus, _ = case
    batch = MaskedBatch(corpus, 0.5, seed=0)([(row, 0) for row in range(24)])
    masked = batch["labels"] != IGNORED
    assert masked.any()
    assert (batch["input_ids"][:, 0] == 1).all()
    assert not masked[:, 0].any()
    assert (batch["input_ids"][masked] == language.mask_id).float().mean() > 0.6


def test_a_composition_is_held_out_as_a_whole(case):
    language, corpus, _ = case
    held_out = held_out_rows(corpus, 0.5)
    assert 0 < held_out.sum() < len(corpus)
    compositions = [language.composition(tokens) for tokens in corpus.iter_tokens()]
    assert not {c for c, out in zip(compositions, held_out) if out} & {
        c for c, out in zip(compositions, held_out) if not out
    }


def test_pretrain_then_fit(case, tmp_path):
    """The estimator starts from the weights of the pre-training, without the mask token."""
    language, corpus, model = case
    config = EncoderConfig(
        **SHAPE,
        vocabulary_size=len(language.vocabulary),
        max_positions=language.max_positions,
    )
    result = pretrain(
        corpus,
        tmp_path,
        config=config,
        epochs=20,
        batch_size=8,
        device_batch_size=8,
        learning_rate=1e-2,
        held_out=0.2,
        evaluations=2,
        device="cpu",
        bf16=False,
    )
    losses = [entry["loss"] for entry in result["history"] if "loss" in entry]
    assert losses[-1] < 0.8 * losses[0]
    assert result["held_out"].keys() >= {"accuracy", f"accuracy_{language.parts[1]}"}
    with pytest.raises(ValueError, match="tokenizer"):
        load_encoder(result["encoder"])  # it does not read symmetry strings
    crystals = [crystal for _, crystal in make_crystals()]
    model.set_params(encoder=result["encoder"], learning_rate=1e-9).fit(crystals, np.arange(24.0))
    name = "embeddings.word_embeddings.weight"
    weights = model.net_.module_.encoder.state_dict()[name]
    start = model._load()[name]
    assert len(start) == language.mask_id
    torch.testing.assert_close(weights, start, atol=1e-5, rtol=0)
    with pytest.raises(ModelFolderError, match="has width=16, but the network width=32"):
        model.set_params(width=32).fit(crystals, np.arange(24.0))


def test_encoder_of_another_language(tmp_path):
    MatInFormerLanguage().save_pretrained(tmp_path)
    model = SlicesBertRegressor(encoder=tmp_path)
    with pytest.raises(ModelFolderError, match="pre-trained on matinformer tokens"):
        model.fit([make_crystals()[0][1]], [1.0])
    model.set_params(encoder=tmp_path / "absent")
    with pytest.raises(ModelFolderError, match="no encoder of slices tokens"):
        model.fit([make_crystals()[0][1]], [1.0])


def test_corpus_of_another_language(case, tmp_path):
    language, corpus, _ = case
    with pytest.raises(ValueError, match="another vocabulary"):
        Corpus(corpus.folder)
    assert len(Corpus(corpus.folder, language=language)) == len(corpus)
    other = build_corpus(tmp_path, [CorpusSource("made up", make_crystals()[:2])])
    with pytest.raises(ValueError, match="different languages"):
        JoinedCorpus([corpus, other])
    with pytest.raises(ValueError, match="vocabulary_size=472"):
        pretrain(corpus, tmp_path / "training", config=EncoderConfig(**SHAPE))
