import numpy as np
import pytest

from sklearn_cloud.encoder.config import PAD_ID
from sklearn_cloud.estimators.batches import PaddedBatches, TokenDataset


@pytest.fixture
def dataset():
    lengths = np.random.RandomState(0).randint(3, 40, size=500)
    token_ids = [[1, *[7] * (length - 2), 2] for length in lengths]
    targets = np.arange(500, dtype=np.float32)[:, None]
    return TokenDataset(token_ids, targets, np.ones(500, dtype=np.float32))


def test_every_row_comes_once_in_every_pass(dataset):
    batches = PaddedBatches(dataset, batch_size=32, seed=0)
    for _ in range(2):
        rows = np.concatenate([targets[:, 0] for _, (targets, _) in batches])
        assert sorted(rows) == list(range(500))
        assert len(rows) == 500
    assert len(batches) == len(list(batches)) == 16


def test_batches_are_padded_to_their_own_length(dataset):
    for input_ids, (targets, _) in PaddedBatches(dataset, batch_size=32, seed=0):
        lengths = dataset.lengths[targets[:, 0].numpy().astype(int)]
        assert input_ids.shape == (len(lengths), lengths.max())
        assert ((input_ids != PAD_ID).sum(dim=1).numpy() == lengths).all()


def test_grouping_by_length_leaves_little_padding(dataset):
    padded = sum(ids.numel() for ids, _ in PaddedBatches(dataset, batch_size=32, seed=0))
    assert padded < 1.1 * dataset.lengths.sum()


def test_passes_differ_and_the_seed_repeats_them(dataset):
    def two_passes(seed):
        batches = PaddedBatches(dataset, batch_size=32, seed=seed)
        return [[ids.tolist() for ids, _ in batches] for _ in range(2)]

    first, second = two_passes(0)
    assert first != second
    assert two_passes(0) == [first, second]
    assert two_passes(1)[0] != first


def test_without_seed_the_order_stays(dataset):
    batches = PaddedBatches(dataset, batch_size=64)
    rows = np.concatenate([targets[:, 0] for _, (targets, _) in batches])
    assert (rows == np.arange(500)).all()
