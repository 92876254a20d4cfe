"""Masked language modelling: predict the masked tokens of a string from the others."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, linear

from ..masking import IGNORED


class MaskedTokens(nn.Module):
    """Predict the masked tokens (section 3.2 of the CLOUD paper).

    Parameters
    ----------
    config : EncoderConfig
    """

    def __init__(self, config):
        super().__init__()
        width = config.width
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(config.vocabulary_size))

    def forward(self, hidden, labels, embedding):
        """Return the loss per masked token, and the predicted tokens.

        Parameters
        ----------
        hidden : tensor of shape (n_strings, n_tokens, width)
        labels : tensor of shape (n_strings, n_tokens)
            -100 for tokens that are not predicted.
        embedding : tensor of shape (vocabulary_size, width)
            The decoder shares its matrix with the embedding of the input tokens.

        Returns
        -------
        loss : tensor
        predicted : tensor of shape (n_masked,)
        """
        masked = labels != IGNORED
        logits = linear(self.transform(hidden[masked]), embedding, self.bias).float()
        # sum and division, because a small batch may have no masked token
        loss = cross_entropy(logits, labels[masked], reduction="sum")
        return loss / masked.sum().clamp(min=1), logits.detach().argmax(dim=1)
