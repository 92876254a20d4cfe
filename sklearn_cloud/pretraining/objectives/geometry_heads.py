"""Geometry: predict sizes and distances of a crystal from its string."""

from torch import nn
from torch.nn.functional import smooth_l1_loss

from ...crystals.geometry import GEOMETRY


class Geometry(nn.Module):
    """Predict the numbers of a crystal at [CLS], and the distances at its Wyckoff symbols.

    Parameters
    ----------
    width : int
        Width of the encoder.
    """

    def __init__(self, width):
        super().__init__()
        self.crystal_head = _head(width, len(GEOMETRY))
        self.orbit_head = _head(width, 1)

    def forward(self, hidden, geometry, distances):
        """Return the smooth L1 losses per known number.

        Parameters
        ----------
        hidden : tensor of shape (n_strings, n_tokens, width)
        geometry : tensor of shape (n_strings, 10)
            Standardised; NaN if unknown.
        distances : tensor of shape (n_strings, n_tokens)
            Standardised; NaN except at Wyckoff symbols of crystals with coordinates.

        Returns
        -------
        dict of str to tensor
            `crystal_loss` and `orbit_loss`.
        """
        known = ~distances.isnan()
        return {
            "crystal_loss": _known_loss(self.crystal_head(hidden[:, 0]), geometry),
            "orbit_loss": _known_loss(self.orbit_head(hidden[known])[:, 0], distances[known]),
        }


def _head(width, n_outputs):
    return nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, n_outputs))


def _known_loss(predicted, wanted):
    """Return the smooth L1 loss over the known numbers; 0 if a batch has none."""
    known = ~wanted.isnan()
    total = smooth_l1_loss(predicted.float()[known], wanted[known], reduction="sum")
    return total / known.sum().clamp(min=1)
