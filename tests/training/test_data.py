import numpy as np
import pytest
import torch

from sklearn_cloud.training.data import InputDataset, PaddedBatches, distinct_inputs, sorted_dataset


class Lists:
    """Reads lists of ones; fills them up with zeros."""

    device_ = "cpu"

    def _size(self, one):
        return len(one)

    def _collate(self, batch):
        padded = torch.zeros(len(batch), max(map(len, batch)))
        for row, one in zip(padded, batch, strict=True):
            row[: len(one)] = torch.tensor(one)
        return {"values": padded}

    def _augment(self, one, rng):
        return [x + rng.uniform() for x in one]


@pytest.fixture
def dataset():
    lengths = np.random.RandomState(0).randint(3, 40, size=500)
    targets = np.arange(500, dtype=np.float32)[:, None]
    rows = [[1.0] * length for length in lengths]
    return InputDataset(rows, Lists(), targets, np.ones(500, dtype=np.float32))


def test_every_row_comes_once_in_every_pass(dataset):
    batches = PaddedBatches(dataset, batch_size=32, seed=0)
    for _ in range(2):
        rows = np.concatenate([targets[:, 0] for _, (targets, _) in batches])
        assert sorted(rows) == list(range(500))
        assert len(rows) == 500
    assert len(batches) == len(list(batches)) == 16


def test_batches_are_padded_to_their_own_length(dataset):
    for batch, (targets, _) in PaddedBatches(dataset, batch_size=32, seed=0):
        values = batch.tensors["values"]
        lengths = dataset.lengths[targets[:, 0].numpy().astype(int)]
        assert values.shape == (len(lengths), lengths.max())
        assert (values.sum(dim=1).numpy() == lengths).all()
        assert len(batch) == len(lengths)


def test_grouping_by_length_leaves_little_padding(dataset):
    batches = PaddedBatches(dataset, batch_size=32, seed=0)
    padded = sum(batch.tensors["values"].numel() for batch, _ in batches)
    assert padded < 1.1 * dataset.lengths.sum()


def test_passes_differ_and_the_seed_repeats_them(dataset):
    def two_passes(seed):
        batches = PaddedBatches(dataset, batch_size=32, seed=seed)
        return [[targets.tolist() for _, (targets, _) in batches] for _ in range(2)]

    first, second = two_passes(0)
    assert first != second
    assert two_passes(0) == [first, second]
    assert two_passes(1)[0] != first


def test_without_seed_the_order_stays(dataset):
    batches = PaddedBatches(dataset, batch_size=64)
    rows = np.concatenate([targets[:, 0] for _, (targets, _) in batches])
    assert (rows == np.arange(500)).all()


def test_rows_are_augmented_with_a_seed_only():
    plain = InputDataset([[1.0], [1.0]], Lists()).batch([0, 1])[0].tensors["values"]
    moved = InputDataset([[1.0], [1.0]], Lists(), seed=0).batch([0, 1])[0].tensors["values"]
    assert (plain == 1).all() and len(moved.unique()) == 2


def test_equal_rows_are_read_once_and_sorted_by_size_and_key():
    read = []

    def length(text):
        read.append(text)
        return [1.0] * len(text)

    inputs = distinct_inputs(((text, text) for text in ["bb", "a", "bb", "aa", "ccc"]), length)
    assert read == ["bb", "a", "aa", "ccc"]
    dataset, rows = sorted_dataset(inputs, Lists())
    assert dataset.lengths.tolist() == [1, 2, 2, 3]
    assert rows.tolist() == [2, 0, 2, 1, 3]
