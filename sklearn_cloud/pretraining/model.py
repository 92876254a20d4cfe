"""The network of pre-training: an encoder and the heads that fine-tuning throws away."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear, smooth_l1_loss

from ..crystals.geometry import GEOMETRY
from ..encoder.config import PAD_ID
from ..encoder.model import build_encoder
from .masking import IGNORED


class PretrainingModel(nn.Module):
    """Encoder with a head for masked tokens and heads for the geometry.

    Parameters
    ----------
    config : EncoderConfig
    geometry_weight : float, default=0.0
        Weight of the geometry in the loss; 0 leaves its heads out.
    """

    def __init__(self, config, geometry_weight=0.0):
        super().__init__()
        self.encoder = build_encoder(config)
        width = config.width
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))
        self.geometry_weight = geometry_weight
        if geometry_weight:
            self.crystal_head = _head(width, len(GEOMETRY))
            self.orbit_head = _head(width, 1)

    def forward(self, input_ids, labels, geometry, distances):
        """Losses of a batch, as `MaskedBatch` makes it.

        Parameters
        ----------
        input_ids, labels : tensor of shape (n_strings, n_tokens)
            `labels` is -100 where nothing is to be predicted.
        geometry : tensor of shape (n_strings, 10)
            Standardised; NaN where unknown.
        distances : tensor of shape (n_strings, n_tokens)
            Standardised; NaN except at Wyckoff symbols of crystals with coordinates.

        Returns
        -------
        dict
            `loss`, its parts, and the predicted token at each masked position.
        """
        hidden = self.encoder(input_ids, attention_mask=input_ids != PAD_ID).last_hidden_state
        masked = labels != IGNORED
        # the decoder shares its matrix with the embedding of the input tokens
        embedding = self.encoder.embeddings.word_embeddings.weight
        logits = linear(self.transform(hidden[masked]), embedding, self.bias).float()
        # sum and division, because a small batch may have no masked token
        token_loss = cross_entropy(logits, labels[masked], reduction="sum")
        token_loss = token_loss / masked.sum().clamp(min=1)
        losses = {"loss": token_loss, "token_loss": token_loss.detach()}
        if self.geometry_weight:
            of_crystal = _known_loss(self.crystal_head(hidden[:, 0]), geometry)
            known = ~distances.isnan()
            of_orbit = _known_loss(self.orbit_head(hidden[known])[:, 0], distances[known])
            losses["loss"] = token_loss + self.geometry_weight * (of_crystal + of_orbit)
            losses["crystal_loss"], losses["orbit_loss"] = of_crystal.detach(), of_orbit.detach()
        return {**losses, "predicted": logits.detach().argmax(dim=1)}


def _head(width, n_outputs):
    return nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, n_outputs))


def _known_loss(predicted, wanted):
    """Smooth L1 loss over the known numbers; 0 where a batch has none."""
    known = ~wanted.isnan()
    total = smooth_l1_loss(predicted.float()[known], wanted[known], reduction="sum")
    return total / known.sum().clamp(min=1)
