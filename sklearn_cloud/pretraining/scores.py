"""Scores of masked tokens on held-out rows, for a model and for counting baselines."""

from functools import lru_cache

import numpy as np
import torch

from ..encoder.tokenizer import PARTS, SymmetryTokenizer
from .masking import IGNORED, MaskedBatch

_BATCH_SIZE = 256
_tokenizer = lru_cache(maxsize=1)(SymmetryTokenizer)


@torch.no_grad()
def score_masked_tokens(model, corpus, rows, *, mask_probability=0.15, batch_size=_BATCH_SIZE):
    """Score a pre-training model on held-out rows.

    Parameters
    ----------
    model : PretrainingModel
    corpus : Corpus or JoinedCorpus
    rows : ndarray of int
    mask_probability : float, default=0.15
    batch_size : int, default=256

    Returns
    -------
    dict
        `loss` (mean cross entropy per masked token, nats), `accuracy` over all masked tokens and
        per part of the string (`accuracy_generator`, `accuracy_sites`, `accuracy_composition`; in
        another language its own parts),
        and, for a model with geometry heads, `crystal_loss` and `orbit_loss` (smooth L1 loss per
        known number, standardised). Empty if there are no rows.
    """
    tally = _Tally(corpus.language.parts)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    for batch in _masked_batches(corpus, rows, mask_probability, batch_size):
        output = model(**{name: tensor.to(device) for name, tensor in batch.items()})
        labels, parts = _masked_tokens(batch, corpus.language)
        tally.add_tokens(parts, output["predicted"].cpu().numpy() == labels)
        tally.add_loss("loss", output["token_loss"], len(labels))
        for name, numbers in {"crystal_loss": "geometry", "orbit_loss": "distances"}.items():
            if name in output:
                tally.add_loss(name, output[name], int((~batch[numbers].isnan()).sum()))
    model.train(was_training)
    return tally.scores()


def score_baselines(corpus, training_rows, rows, *, mask_probability=0.15):
    """Score predictions from token counts of the training rows on held-out rows.

    Parameters
    ----------
    corpus : Corpus or JoinedCorpus
        Of symmetry strings.
    training_rows, rows : ndarray of int
        Rows to count tokens in, and rows to predict.
    mask_probability : float, default=0.15

    Returns
    -------
    dict
        Name of the baseline -> scores as from `score_masked_tokens`, for the same masked tokens.
        `unigram` predicts from the frequency of a token in that part of the string, `space_group`
        from its frequency in strings of the space group, even if that is masked.

    Notes
    -----
    Frequencies within a space group are smoothed by one pseudo-count of the unigram frequencies,
    and these by one pseudo-count of the uniform distribution.
    """
    counts = _count_tokens(corpus, training_rows)
    unigram = _smooth(sum(counts.values()), 1 / len(_tokenizer()))
    predictions = {group: _smooth(found, unigram) for group, found in counts.items()}
    tallies = {"unigram": _Tally(PARTS), "space_group": _Tally(PARTS)}
    for batch in _masked_batches(corpus, rows, mask_probability, _BATCH_SIZE):
        labels, parts = _masked_tokens(batch, corpus.language)
        groups = [_space_group(string) for string in _unmasked(batch)]
        strings = np.nonzero(batch["labels"].numpy() != IGNORED)[0]
        given_group = [predictions.get(groups[i], unigram) for i in strings]
        for token, part, of_group in zip(labels, parts, given_group, strict=True):
            tallies["unigram"].add_guess(unigram[part], token, part)
            tallies["space_group"].add_guess(of_group[part], token, part)
    return {name: tally.scores() for name, tally in tallies.items()}


class _Tally:
    """Sums of hits and losses over batches."""

    def __init__(self, parts):
        self.parts = parts
        self.hits, self.counts = np.zeros(len(parts)), np.zeros(len(parts))
        self.losses = {}

    def add_tokens(self, parts, hits):
        np.add.at(self.hits, parts, hits)
        np.add.at(self.counts, parts, 1)

    def add_guess(self, probabilities, token, part):
        self.add_tokens([part], [probabilities.argmax() == token])
        self.add_loss("loss", -np.log(probabilities[token]), 1)

    def add_loss(self, name, mean, weight):
        total, weights = self.losses.get(name, (0.0, 0))
        if weight:
            self.losses[name] = total + float(mean) * weight, weights + weight

    def scores(self):
        scores = {name: total / weight for name, (total, weight) in self.losses.items()}
        if self.counts.any():
            scores["accuracy"] = float(self.hits.sum() / self.counts.sum())
        for part, hit, count in zip(self.parts, self.hits, self.counts, strict=True):
            if count:
                scores[f"accuracy_{part}"] = float(hit / count)
        return scores


def _masked_batches(corpus, rows, mask_probability, batch_size):
    """Yield rows in batches of similar length, masked reproducibly."""
    collate = MaskedBatch(corpus, mask_probability, seed=0)
    rows = rows[np.argsort(corpus.lengths[rows], kind="stable")]
    for start in range(0, len(rows), batch_size):
        yield collate([(int(row), 0) for row in rows[start : start + batch_size]])


def _unmasked(batch):
    labels = batch["labels"].numpy()
    return np.where(labels == IGNORED, batch["input_ids"].numpy(), labels)


def _masked_tokens(batch, language):
    """Return each masked token and its part of the string."""
    parts = np.array([language.part_ids(string) for string in _unmasked(batch)])
    masked = batch["labels"].numpy() != IGNORED
    return batch["labels"].numpy()[masked], parts[masked]


def _space_group(tokens):
    """Return the tokens of the space group as bytes."""
    end = np.argmax(tokens == _tokenizer().vocabulary.index("|"))
    return tokens[:end].astype(np.uint16).tobytes()


def _count_tokens(corpus, rows):
    """Count tokens by space group, in arrays of shape (n_parts, n_tokens)."""
    tokenizer = _tokenizer()
    counts = {}
    for row in rows:
        tokens = corpus[row][0]
        group = _space_group(tokens)
        if group not in counts:
            counts[group] = np.zeros((len(PARTS), len(tokenizer)))
        np.add.at(counts[group], (tokenizer.part_ids(tokens.tolist()), tokens), 1)
    return counts


def _smooth(counts, prior):
    return (counts + prior) / (counts.sum(axis=1, keepdims=True) + 1)
