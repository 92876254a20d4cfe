"""Symmetry strings as input of a network, for the CLOUD estimators."""

from dataclasses import replace

import numpy as np
import torch

from ..training.checks import accept_strings
from ..training.data import distinct_inputs
from .tables import check_table

NUMBER_LIMIT = 6.0  # standard deviations
PART = 16_384  # distinct rows that are predicted together: what limits the memory


class StringInput:
    """Mixin class of the estimators that read symmetry strings and optional numbers.

    It needs `tokenizer_`, `encoder_config_` and the parameter ``on_too_long``.
    """

    #: Mean and standard deviation of the numbers; empty before `fit` has seen any.
    number_means_ = np.empty(0)
    number_scales_ = np.empty(0)

    def _check_rows(self, X):
        return check_table(X, type(self).__name__)

    def _fit_inputs(self, table, train):
        known = table.numbers[train]
        unknown = np.flatnonzero(np.isnan(known).all(axis=0))
        if len(unknown):
            raise ValueError(
                f"Column {table.names[unknown[0]]!r} of X is NaN in every training row: drop it."
            )
        self.number_means_, scales = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
        self.number_scales_ = np.where(scales > 1e-12 * np.abs(self.number_means_), scales, 1.0)
        self.number_names_ = table.names
        vars(self).pop("feature_names_in_", None)
        if table.columns is not None:
            self.feature_names_in_ = np.array(table.columns, dtype=object)

    def _align(self, table):
        """Return the table with the columns of numbers seen in `fit`."""
        wanted = len(self.number_means_)
        if table.numbers.shape[1] == 0:
            return replace(table, numbers=np.full((len(table), wanted), np.nan))
        if wanted == 0:
            raise ValueError(
                f"X has numbers next to the strings ({', '.join(table.names)}), but this "
                f"{type(self).__name__} was fitted on strings only: pass only the strings."
            )
        if table.columns is not None and hasattr(self, "feature_names_in_"):
            missing = [name for name in self.number_names_ if name not in table.names]
            surplus = [name for name in table.names if name not in self.number_names_]
            if missing or surplus:
                raise ValueError(
                    f"The columns of X differ from those seen in fit: missing {missing}, "
                    f"unexpected {surplus}. Use the same names; for unknown numbers, pass NaN."
                )
            order = [table.names.index(name) for name in self.number_names_]
            return replace(table, numbers=table.numbers[:, order])
        if table.numbers.shape[1] != wanted:
            raise ValueError(
                f"X has {table.numbers.shape[1]} columns of numbers, but {type(self).__name__} was "
                f"fitted with {wanted} ({', '.join(self.number_names_)})."
            )
        return table

    def _read(self, table):
        token_ids = self._tokenize(table.strings)
        keys = zip(table.strings, map(tuple, table.numbers.tolist()), strict=True)
        rows = zip(keys, zip(token_ids, table.numbers, strict=True), strict=True)
        return distinct_inputs(rows, lambda row: row)

    def _parts(self, table):
        """Yield parts of the table with `PART` distinct rows each, whatever the order of the rows.

        If there are more, those that are near to each other in the alphabet are predicted together.
        """
        if len(table) <= PART:
            yield slice(None), table
            return
        keys = table.strings.tolist()
        if table.numbers.shape[1]:
            keys = [(s, row.tobytes()) for s, row in zip(keys, table.numbers, strict=True)]
        parts = {key: number // PART for number, key in enumerate(sorted(set(keys)))}
        part_of_row = np.fromiter((parts[key] for key in keys), dtype=int, count=len(keys))
        for part in range(part_of_row.max() + 1):
            places = np.flatnonzero(part_of_row == part)
            strings, numbers = table.strings[places], table.numbers[places]
            yield places, replace(table, strings=strings, numbers=numbers)

    def _tokenize(self, strings):
        token_ids = self.tokenizer_.encode_batch(strings)
        return check_lengths(token_ids, self.encoder_config_.max_positions, self.on_too_long)

    def _size(self, one):
        return len(one[0])

    def _augment(self, one, rng):
        """Leave out numbers at random, so that the network also learns without them."""
        token_ids, numbers = one
        if len(numbers) == 0 or self.number_dropout == 0:
            return one
        share = 1.0 if rng.uniform() < self.number_dropout else self.number_dropout / 2
        return token_ids, np.where(rng.uniform(size=len(numbers)) < share, np.nan, numbers)

    def _collate(self, batch):
        """Return token ids, padded to the longest string of the batch, and standardised numbers."""
        longest = max(map(self._size, batch))
        input_ids = np.full((len(batch), longest), self.encoder_config_.pad_id)
        for row, (token_ids, _) in zip(input_ids, batch, strict=True):
            row[: len(token_ids)] = token_ids
        tensors = {"input_ids": torch.from_numpy(input_ids)}
        if len(self.number_means_):
            numbers = np.stack([numbers for _, numbers in batch])
            scaled = (numbers - self.number_means_) / self.number_scales_
            scaled = np.clip(scaled, -NUMBER_LIMIT, NUMBER_LIMIT).astype(np.float32)
            tensors["numbers"] = torch.from_numpy(scaled)
        return tensors

    def __sklearn_tags__(self):
        tags = accept_strings(super().__sklearn_tags__())
        tags.input_tags.two_d_array = True
        return tags


def check_lengths(token_ids, max_positions, on_too_long):
    """Return token ids that fit the positions of the encoder.

    Raises
    ------
    ValueError
        If a string is longer than ``max_positions`` tokens and ``on_too_long`` is "raise".
    """
    lengths = np.fromiter(map(len, token_ids), dtype=int, count=len(token_ids))
    too_long = np.flatnonzero(lengths > max_positions)
    if len(too_long) == 0:
        return token_ids
    if on_too_long == "raise":
        row = too_long[0]
        raise ValueError(
            f"The string in row {row} of X has {lengths[row]} tokens, but the encoder reads at "
            f"most {max_positions} ({len(too_long)} such rows in all). Use on_too_long='truncate' "
            f"to shorten them, or an encoder with a larger max_positions."
        )
    # The end token is kept, so that a shortened string is complete.
    return [
        ids if len(ids) <= max_positions else [*ids[: max_positions - 1], ids[-1]]
        for ids in token_ids
    ]
