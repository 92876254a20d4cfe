"""Batches of token ids, padded to their own length and grouped by length."""

import numpy as np
import torch
from torch.utils.data import Dataset

from ..encoder.batches import cut, shuffled_by_length
from ..encoder.config import PAD_ID


class TokenDataset(Dataset):
    """Token ids with targets and weights.

    Parameters
    ----------
    token_ids : list of list of int
    targets : ndarray of shape (n_rows, ...), default=None
    weights : ndarray of shape (n_rows,), default=None
    pad_id : int, default=0
        Token id that fills up the short rows of a batch.
    """

    def __init__(self, token_ids, targets=None, weights=None, pad_id=PAD_ID):
        self.token_ids = token_ids
        self.pad_id = pad_id
        self.lengths = np.fromiter(map(len, token_ids), dtype=int, count=len(token_ids))
        self.targets = None if targets is None else torch.as_tensor(targets)
        self.weights = None if weights is None else torch.as_tensor(weights)

    def __len__(self):
        return len(self.token_ids)

    def __getitem__(self, row):
        return self.token_ids[row], None if self.targets is None else self.targets[row]

    def batch(self, rows):
        """Padded token ids of some rows, and their (targets, weights)."""
        input_ids = np.full((len(rows), self.lengths[rows].max()), self.pad_id)
        for i, row in enumerate(rows):
            input_ids[i, : self.lengths[row]] = self.token_ids[row]
        if self.targets is None:
            return torch.from_numpy(input_ids), torch.empty(0)
        return torch.from_numpy(input_ids), (self.targets[rows], self.weights[rows])


def distinct_strings(strings, token_ids, pad_id):
    """Every distinct string once, in an order of its own: by length.

    What is computed this way depends neither on the order of the rows nor on repetitions.

    Parameters
    ----------
    strings : ndarray of shape (n_rows,)
    token_ids : list of list of int
        Of each row.
    pad_id : int

    Returns
    -------
    dataset : TokenDataset
    rows : ndarray of shape (n_rows,)
        Where in the dataset each row's string is.
    """
    _, first_rows, inverse = np.unique(strings, return_index=True, return_inverse=True)
    by_length = np.argsort([len(token_ids[row]) for row in first_rows], kind="stable")
    dataset = TokenDataset([token_ids[first_rows[i]] for i in by_length], pad_id=pad_id)
    return dataset, np.argsort(by_length)[inverse]


class PaddedBatches:
    """Iterate over a dataset in batches; the place of a DataLoader in the skorch net.

    Parameters
    ----------
    dataset : TokenDataset
    batch_size : int
    seed : int, default=None
        Shuffle anew in every pass, from this seed; None keeps the order of the rows.
    """

    def __init__(self, dataset, batch_size, seed=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.rng = None if seed is None else np.random.RandomState(seed)

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        if self.rng is None:
            batches = cut(np.arange(len(self.dataset)), self.batch_size)
        else:
            batches = shuffled_by_length(self.dataset.lengths, self.batch_size, self.rng)
        for rows in batches:
            yield self.dataset.batch(rows)
