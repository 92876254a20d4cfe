import numpy as np
import pytest
import torch
from corpora import make_corpus

from sklearn_cloud.encoder import SymmetryTokenizer
from sklearn_cloud.pretraining.masking import IGNORED, LengthGroupedRows, MaskedBatch, RowNumbers

TOKENIZER = SymmetryTokenizer()
FIRST_WORD = TOKENIZER.vocabulary.index("|") + 1


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def large_batch(corpus):
    """5,000 strings and their masked form, padding left out."""
    rows = np.arange(5000) % len(corpus)
    collate = MaskedBatch(corpus, 0.15, seed=3)
    batch = collate([(int(row), 0) for row in rows])
    original = np.full(batch["input_ids"].shape, TOKENIZER.pad_id)
    for i, row in enumerate(rows):
        original[i, : corpus.lengths[row]] = corpus[row][0]
    return original, batch["input_ids"].numpy(), batch["labels"].numpy()


def test_shares_of_the_masked_tokens(large_batch):
    original, masked, labels = large_batch
    chosen = labels != IGNORED
    words = original >= FIRST_WORD
    assert chosen.sum() / words.sum() == pytest.approx(0.15, abs=0.003)
    now, before = masked[chosen], original[chosen]
    is_mask = now == TOKENIZER.mask_id
    # one random token in 467 is the old one
    same = (now == before).mean()
    assert is_mask.mean() == pytest.approx(0.8, abs=0.01)
    assert same == pytest.approx(0.1 + 0.1 / 467, abs=0.01)
    assert (~is_mask & (now != before)).mean() == pytest.approx(0.1, abs=0.01)


def test_only_words_are_masked_and_only_masked_tokens_change(large_batch):
    original, masked, labels = large_batch
    chosen = labels != IGNORED
    assert (original[chosen] >= FIRST_WORD).all()
    np.testing.assert_array_equal(labels[chosen], original[chosen])
    np.testing.assert_array_equal(masked[~chosen], original[~chosen])
    # what stands in for a word is a word, of any kind, or the mask
    replaced = masked[chosen]
    replaced = replaced[replaced != TOKENIZER.mask_id]
    assert replaced.min() >= FIRST_WORD and replaced.max() < len(TOKENIZER)
    assert len(np.unique(replaced)) > 400


@pytest.mark.parametrize("probability", [0.05, 0.5])
def test_share_is_a_parameter(corpus, probability):
    batch = MaskedBatch(corpus, probability, seed=0)([(r % len(corpus), 0) for r in range(2000)])
    words = (batch["input_ids"] >= FIRST_WORD) | (batch["labels"] != IGNORED)
    chosen = (batch["labels"] != IGNORED).sum()
    assert float(chosen / words.sum()) == pytest.approx(probability, abs=0.02)


def test_batch_depends_on_seed_epoch_and_rows_alone(corpus):
    def labels(seed, epoch, first):
        collate = MaskedBatch(corpus, 0.15, seed)
        np.random.seed(first)  # the global state is nobody's
        return collate([(row, epoch) for row in range(first, first + 40)])["labels"].numpy()

    reference = labels(0, 1, 5)
    used = MaskedBatch(corpus, 0.15, 0)
    for epoch in range(3):  # a collator that has made other batches before
        batch = used([(row, epoch) for row in range(5, 45)])
        assert np.array_equal(batch["labels"].numpy(), reference) == (epoch == 1)
    np.testing.assert_array_equal(labels(0, 1, 5), reference)
    assert not np.array_equal(labels(1, 1, 5), reference)


def test_batches_are_padded_to_their_own_length(corpus):
    shortest = np.flatnonzero(corpus.lengths == corpus.lengths.min())[:3]
    batch = MaskedBatch(corpus, 0.15, 0)([(int(row), 0) for row in shortest])
    assert batch["input_ids"].shape == (len(shortest), corpus.lengths.min())
    assert batch["input_ids"].dtype == batch["labels"].dtype == torch.int64
    assert corpus.lengths.min() < corpus.lengths.max()


def test_geometry_is_standardised_where_it_is_known(corpus):
    batch = MaskedBatch(corpus, 0.15, 0)([(row, 0) for row in range(len(corpus))])
    geometry, distances = batch["geometry"].numpy(), batch["distances"].numpy()
    assert np.isfinite(geometry[:24]).all() and np.isnan(geometry[24:]).all()
    assert (np.isfinite(distances).sum(axis=1) == np.repeat([2, 0], [24, len(corpus) - 24])).all()
    volumes = geometry[:24, 0]
    assert volumes.mean() == pytest.approx(0, abs=1e-5)
    assert volumes.std() == pytest.approx(1, abs=1e-4)
    # in CsCl both sites have the nearest-neighbour distance of the crystal
    place = corpus.manifest["geometry"]["names"].index("log mean nearest-neighbour distance")
    found = np.nanmean(distances[:24], axis=1)
    np.testing.assert_allclose(found, geometry[:24, place], atol=0.01)


LENGTHS = np.random.default_rng(0).integers(10, 60, 1024)
ROWS = np.arange(5000, 6024)


def order(seed, epoch):
    sampler = LengthGroupedRows(ROWS, LENGTHS, 32, seed)
    sampler.set_epoch(epoch)
    return list(sampler)


def test_every_epoch_visits_each_row_once():
    for epoch in range(3):
        items = order(0, epoch)
        assert {e for _, e in items} == {epoch}
        assert sorted(row for row, _ in items) == ROWS.tolist()
    assert len(LengthGroupedRows(ROWS, LENGTHS, 32, 0)) == 1024


def test_order_depends_on_seed_and_epoch_alone():
    sampler = LengthGroupedRows(ROWS, LENGTHS, 32, 0)
    for epoch in (0, 1, 2):  # earlier epochs leave no trace
        sampler.set_epoch(epoch)
        assert list(sampler) == order(0, epoch)
    orders = [[row for row, _ in order(*key)] for key in ((0, 0), (0, 1), (1, 0))]
    assert len({tuple(rows) for rows in orders}) == 3


def test_batches_hold_rows_of_similar_length():
    rows = np.array([row for row, _ in order(0, 0)]) - 5000
    batches = np.split(LENGTHS[rows], range(32, 1024, 32))
    spread = np.mean([np.ptp(batch) for batch in batches])
    assert spread < 0.2 * np.ptp(LENGTHS)


def test_row_numbers_give_back_the_index():
    numbers = RowNumbers(7)
    assert len(numbers) == 7
    assert numbers[(3, 1)] == (3, 1)
