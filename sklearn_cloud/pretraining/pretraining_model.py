"""The network of pre-training: an encoder and objectives that fine-tuning does not use."""

from torch import nn

from ..encoder.config import PAD_ID
from ..encoder.model import build_encoder
from .objectives import Geometry, MaskedTokens


class PretrainingModel(nn.Module):
    """Encoder with the objectives of pre-training.

    Parameters
    ----------
    config : EncoderConfig
    geometry_weight : float, default=0.0
        Weight of the geometry in the loss; 0 leaves it out.
    """

    def __init__(self, config, geometry_weight=0.0):
        super().__init__()
        self.encoder = build_encoder(config)
        self.masked_tokens = MaskedTokens(config)
        self.geometry_weight = geometry_weight
        if geometry_weight:
            self.geometry = Geometry(config.width)

    def forward(self, input_ids, labels, geometry, distances):
        """Return the losses of a batch from `MaskedBatch`.

        Parameters
        ----------
        input_ids, labels : tensor of shape (n_strings, n_tokens)
            `labels` is -100 for tokens that are not predicted.
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
        embedding = self.encoder.embeddings.word_embeddings.weight
        token_loss, predicted = self.masked_tokens(hidden, labels, embedding)
        losses = {"loss": token_loss, "token_loss": token_loss.detach(), "predicted": predicted}
        if self.geometry_weight:
            parts = self.geometry(hidden, geometry, distances)
            losses["loss"] = token_loss + self.geometry_weight * sum(parts.values())
            losses |= {name: part.detach() for name, part in parts.items()}
        return losses
