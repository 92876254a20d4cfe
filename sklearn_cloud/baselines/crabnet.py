"""CrabNet: a transformer over the elements of a formula."""

import math
from numbers import Integral, Real

import torch
from torch import nn

from .._compat import Interval
from ..training.net_regressor import NetRegressor
from .composition_network import CompositionNetwork, ElementEmbedding, ResidualOutput


class BaseCrabNet(CompositionNetwork):
    """Input and network of `CrabNetRegressor`."""

    width: int = 512
    n_layers: int = 3
    n_heads: int = 4
    dropout: float = 0.1
    max_epochs = 40
    learning_rate = 3e-4

    _parameter_constraints = {
        "width": [Interval(Integral, 4, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def _network(self):
        if self.width % 4 or self.width % self.n_heads:
            raise ValueError(
                f"width={self.width} must be a multiple of 4 and of n_heads={self.n_heads}."
            )
        return CrabNet, {
            "width": self.width,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "dropout": self.dropout,
        }


class CrabNetRegressor(BaseCrabNet, NetRegressor):
    """Predict numbers from compositions with a transformer over their elements.

    Each element of a formula is a token: its embedding plus sinusoids of its fraction and of the
    logarithm of its fraction. After the transformer an output network gives every element its
    contribution; the prediction is their mean.

    Parameters
    ----------
    width : int, default=512
        Width of the transformer, a multiple of `n_heads` and of 4.
    n_layers : int, default=3
        Layers of the transformer.
    n_heads : int, default=4
        Attention heads of each layer.
    dropout : float, default=0.1
        Dropout of the transformer while training.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    Notes
    -----
    The architecture follows [1]_: 3 layers of 4 heads, 512 wide with 2048 in between; half of
    the sinusoids for the fraction, half for its logarithm, with a trained scale each; an output
    network of 1024, 512, 256 and 128 with shortcuts that gives a value and a gate (a logistic
    weight) for each element. What is simpler here: elements begin from properties in the
    periodic table instead of vectors learned from abstracts of papers (mat2vec), the fractions
    are not rounded to steps, the loss is the mean absolute error without an estimate of the
    noise, and the training is that of `CloudRegressor` instead of cyclic learning rates with
    Lamb and averaged weights.

    References
    ----------
    .. [1] A. Y.-T. Wang, S. K. Kauwe, R. J. Murdock, T. D. Sparks, "Compositionally restricted
       attention-based network for materials property predictions", npj Computational Materials
       7, 77 (2021).

    Examples
    --------
    >>> from sklearn_cloud.baselines import CrabNetRegressor
    >>> formulas, gaps = ["NaCl", "ZnS", "Si"] * 4, [8.5, 3.6, 1.1] * 4
    >>> model = CrabNetRegressor(width=32, max_epochs=2, random_state=0).fit(formulas, gaps)
    >>> model.predict(["KCl"]).shape
    (1,)
    """


class CrabNet(nn.Module):
    """The network of `CrabNetRegressor`."""

    def __init__(self, n_outputs, width, n_layers, n_heads, dropout):
        super().__init__()
        self.embed = ElementEmbedding(width)
        self.encode_fraction = Sinusoids(width // 2)
        self.scales = nn.Parameter(torch.ones(3))
        layer = nn.TransformerEncoderLayer(
            width, n_heads, dim_feedforward=4 * width, dropout=dropout, batch_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, n_layers, enable_nested_tensor=False)
        self.output = ResidualOutput(width, (1024, 512, 256, 128), 2 * n_outputs)

    def forward(self, numbers, fractions):
        present = numbers > 0
        logs = torch.where(present, fractions, 1.0).log2()
        x = self.scales[0] * self.embed(numbers) + torch.cat(
            [
                self.scales[1] * self.encode_fraction(fractions),
                # from 0 for a pure element to 1 where the fraction is one in a million
                self.scales[2] * self.encode_fraction((logs / math.log2(1e-6)).square()),
            ],
            dim=-1,
        )
        x = self.transformer(x, src_key_padding_mask=~present)
        values, gates = self.output(x).chunk(2, dim=-1)
        contributions = values * gates.sigmoid() * present[..., None]
        return contributions.sum(dim=1) / present.sum(dim=1, keepdim=True)


class Sinusoids(nn.Module):
    """Sines and cosines of a number between 0 and 1, with periods from about 3 to 1/800."""

    def __init__(self, width):
        super().__init__()
        frequencies = torch.logspace(math.log10(2), math.log10(5000), width // 2)
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, x):
        angles = x[..., None] * self.frequencies
        return torch.cat([angles.sin(), angles.cos()], dim=-1)
