"""Symmetry strings as what a network reads: the input side of the CLOUD estimators."""

import numpy as np
import torch

from ..training.checks import accept_strings
from ..training.data import distinct_inputs


class StringInput:
    """Mixin of the estimators that read symmetry strings.

    It needs `tokenizer_`, `encoder_config_` and the parameter ``on_too_long``.
    """

    def _check_rows(self, X):
        return check_strings(X, type(self).__name__)

    def _read(self, strings):
        rows = zip(strings, self._tokenize(strings), strict=True)
        return distinct_inputs(rows, lambda token_ids: token_ids)

    def _tokenize(self, strings):
        token_ids = self.tokenizer_.encode_batch(strings)
        return check_lengths(token_ids, self.encoder_config_.max_positions, self.on_too_long)

    def _size(self, token_ids):
        return len(token_ids)

    def _collate(self, batch):
        """Token ids, filled up to the longest of the batch."""
        longest = max(map(len, batch))
        input_ids = np.full((len(batch), longest), self.encoder_config_.pad_id)
        for row, token_ids in zip(input_ids, batch, strict=True):
            row[: len(token_ids)] = token_ids
        return {"input_ids": torch.from_numpy(input_ids)}

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())


def check_strings(X, name="CloudRegressor"):
    """One-dimensional object array of symmetry strings.

    Parameters
    ----------
    X : list, tuple, array, Series, or one-column table
    name : str
        The estimator that the messages speak of.

    Returns
    -------
    ndarray of shape (n_strings,), dtype object

    Raises
    ------
    TypeError
        If ``X`` or one of its rows is not text.
    ValueError
        If ``X`` is empty or has more than one column.
    """
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 1:
            raise ValueError(
                f"X must be one column of symmetry strings, got an array of shape {X.shape}."
            )
    elif not isinstance(X, (list, tuple)):
        raise TypeError(
            f"X must be a list, array or Series of symmetry strings, got {type(X).__name__}. "
            f"{_advice(name)}"
        )
    for row, string in enumerate(X):
        if not isinstance(string, str):
            raise TypeError(
                f"Row {row} of X is {_describe(string)}, expected a symmetry string. "
                f"{_advice(name)}"
            )
    if len(X) == 0:
        raise ValueError(f"Found array with 0 sample(s) while {name} requires at least 1.")
    strings = np.empty(len(X), dtype=object)
    strings[:] = [str(string) for string in X]
    return strings


def _describe(value):
    if value is None or isinstance(value, (bool, int, float)):
        return repr(value)
    return f"of type {type(value).__name__}"


def _advice(name):
    return (
        "Crystals become strings through SymmetryStringTransformer: "
        f"make_pipeline(SymmetryStringTransformer(), {name}())."
    )


def check_lengths(token_ids, max_positions, on_too_long):
    """Token ids that fit into the encoder.

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
            f"The string in row {row} of X has {lengths[row]} tokens, the encoder reads at most "
            f"{max_positions} ({len(too_long)} such rows in all). Pass on_too_long='truncate' to "
            "cut off their ends, or an encoder with a larger max_positions."
        )
    # The end token stays, so that a shortened string still closes.
    return [
        ids if len(ids) <= max_positions else [*ids[: max_positions - 1], ids[-1]]
        for ids in token_ids
    ]
