"""Padded and masked batches for masked language modelling, reproducible by epoch and rows."""

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from ..training.data import shuffled_by_length

IGNORED = -100


class RowNumbers(Dataset):
    """Placeholder for the corpus in a DataLoader: an item is its own index, (row, epoch)."""

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def __len__(self):
        return self.n_rows

    def __getitem__(self, index):
        return index


class LengthGroupedRows(Sampler):
    """Sample every row once per epoch, with rows of similar length together.

    The order depends only on seed and epoch, so that an interrupted training resumes with the same
    batches.

    Parameters
    ----------
    rows : ndarray of int
        Rows of the corpus.
    lengths : ndarray of int
        Number of tokens of each row.
    batch_size : int
    seed : int
    """

    def __init__(self, rows, lengths, batch_size, seed):
        self.rows = rows
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch):
        """Set the order; the Trainer calls this at the start of each epoch."""
        self.epoch = epoch

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        rng = np.random.RandomState((self.seed * 100_003 + self.epoch) % 2**32)
        for batch in shuffled_by_length(self.lengths, self.batch_size, rng):
            for index in batch:
                yield int(self.rows[index]), self.epoch


class MaskedBatch:
    """Collate rows of a corpus into one masked batch.

    A share `probability` of the tokens (without special tokens) is chosen: 80 % of these become
    `[MASK]`, 10 % a random token, 10 % stay (Devlin et al. 2018, as in section 3.2 of the CLOUD
    paper).

    Parameters
    ----------
    corpus : Corpus or JoinedCorpus
    probability : float
        Share of the tokens to predict.
    seed : int
    """

    def __init__(self, corpus, probability, seed):
        self.corpus = corpus
        self.probability = probability
        self.seed = seed
        language = corpus.language
        self._mask_id, self._pad_id = language.mask_id, language.pad_id
        self._words = language.words
        geometry = corpus.manifest["geometry"]
        self._mean = np.array(geometry["mean"], dtype=np.float32)
        self._scale = np.array(geometry["scale"], dtype=np.float32)
        # nearest-neighbour distances of sites are scaled like those of whole crystals
        place = geometry["names"].index("log mean nearest-neighbour distance")
        self._distance = self._mean[place], self._scale[place]

    def __call__(self, items):
        """Return the masked batch of (row, epoch) pairs."""
        rows = [self.corpus[row] for row, _ in items]
        longest = max(len(tokens) for tokens, _, _ in rows)
        input_ids = np.full((len(rows), longest), self._pad_id, dtype=np.int64)
        distances = np.full((len(rows), longest), np.nan, dtype=np.float32)
        for i, (tokens, of_token, _) in enumerate(rows):
            input_ids[i, : len(tokens)] = tokens
            distances[i, : len(tokens)] = of_token
        geometry = np.stack([numbers for _, _, numbers in rows])
        first_row, epoch = items[0]
        input_ids, labels = self._mask(
            input_ids, np.random.default_rng([self.seed, epoch, first_row])
        )
        return {
            "input_ids": torch.from_numpy(input_ids),
            "labels": torch.from_numpy(labels),
            "geometry": torch.from_numpy((geometry - self._mean) / self._scale),
            "distances": torch.from_numpy((distances - self._distance[0]) / self._distance[1]),
        }

    def _mask(self, input_ids, rng):
        first, stop = self._words.start, self._words.stop
        chosen = (input_ids >= first) & (rng.random(input_ids.shape) < self.probability)
        labels = np.where(chosen, input_ids, IGNORED)
        fate = rng.random(input_ids.shape)
        words = rng.integers(first, stop, input_ids.shape)
        masked = np.where(chosen & (fate < 0.8), self._mask_id, input_ids)
        return np.where(chosen & (fate >= 0.9), words, masked), labels
