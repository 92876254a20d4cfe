"""Roost: message passing between the elements of a formula."""

from numbers import Integral

import torch
from torch import nn
from torch.nn.functional import leaky_relu

from .._compat import Interval
from ..training.net_regressor import NetRegressor
from .composition_network import (
    CompositionNetwork,
    ElementEmbedding,
    ResidualOutput,
    weighted_softmax,
)


class BaseRoost(CompositionNetwork):
    """Input and network of `RoostRegressor`."""

    width: int = 64
    n_layers: int = 3
    n_heads: int = 3
    max_epochs = 150

    _parameter_constraints = {
        "width": [Interval(Integral, 2, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
    }

    def _network(self):
        return Roost, {"width": self.width, "n_layers": self.n_layers, "n_heads": self.n_heads}


class RoostRegressor(BaseRoost, NetRegressor):
    """Predict numbers from compositions by message passing between their elements.

    The elements of a formula are the nodes of a complete graph, weighted by their fractions. In
    every layer each element gathers messages from all elements by soft attention, in several
    heads; the material's vector is gathered from the elements the same way.

    Parameters
    ----------
    width : int, default=64
        Numbers per element; the last one is its fraction to begin with.
    n_layers : int, default=3
        Message passing layers.
    n_heads : int, default=3
        Attention heads of every layer and of the pooling.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    Notes
    -----
    The messages and the sizes of the layers follow [1]_: 64 numbers per element, 3 layers of
    3 heads, hidden layers of 256 in the networks for messages and attention, and an output
    network of 1024, 512, 256, 128 and 64 with shortcuts. What is simpler here: elements begin
    from properties in the periodic table instead of vectors learned from abstracts of papers
    (Matscholar), the loss is the mean absolute error without an estimate of the noise, one
    network is trained instead of an ensemble, and the training is that of `CloudRegressor`. An
    element also receives its own message, so that pure elements need no exception.

    References
    ----------
    .. [1] R. E. A. Goodall, A. A. Lee, "Predicting materials properties without crystal
       structure: deep representation learning from stoichiometry", Nature Communications 11,
       6280 (2020).

    Examples
    --------
    >>> from sklearn_cloud.baselines import RoostRegressor
    >>> formulas, gaps = ["NaCl", "ZnS", "Si"] * 4, [8.5, 3.6, 1.1] * 4
    >>> model = RoostRegressor(max_epochs=2, random_state=0).fit(formulas, gaps)
    >>> model.predict(["KCl"]).shape
    (1,)
    """


class Roost(nn.Module):
    """The network of `RoostRegressor`."""

    def __init__(self, n_outputs, width, n_layers, n_heads):
        super().__init__()
        self.embed = ElementEmbedding(width - 1)
        self.layers = nn.ModuleList(
            WeightedAttention(2 * width, width, n_heads) for _ in range(n_layers)
        )
        self.pool = WeightedAttention(width, width, n_heads)
        self.output = ResidualOutput(width, (1024, 512, 256, 128, 64), n_outputs)

    def forward(self, numbers, fractions):
        x = torch.cat([self.embed(numbers), fractions[..., None]], dim=-1)
        shape = (*x.shape[:2], x.shape[1], x.shape[2])  # rows, receivers, senders, width
        for layer in self.layers:
            pairs = torch.cat([x[:, :, None].expand(shape), x[:, None].expand(shape)], dim=-1)
            x = x + layer(pairs, fractions[:, None])
        return self.output(self.pool(x, fractions))


class WeightedAttention(nn.Module):
    """Messages gathered over the last but one axis by soft attention; the mean of the heads."""

    def __init__(self, n_inputs, width, n_heads, n_hidden=256):
        super().__init__()
        self.heads = (n_heads, n_hidden)
        self.energy_layer = nn.Linear(n_inputs, n_heads * n_hidden)
        self.energy = HeadwiseLinear(n_heads, n_hidden, 1)
        self.message_layer = nn.Linear(n_inputs, n_heads * n_hidden)
        self.message = HeadwiseLinear(n_heads, n_hidden, width)

    def forward(self, x, fractions):
        hidden = leaky_relu(self.energy_layer(x)).unflatten(-1, self.heads)
        energies = self.energy(hidden)[..., 0].transpose(-1, -2)  # (..., heads, elements)
        attention = weighted_softmax(energies, fractions[..., None, :])
        hidden = leaky_relu(self.message_layer(x)).unflatten(-1, self.heads)
        return torch.einsum("...he,...ehw->...w", attention, self.message(hidden)) / self.heads[0]


class HeadwiseLinear(nn.Module):
    """A linear map of its own for each head: (..., n_heads, n_in) to (..., n_heads, n_out)."""

    def __init__(self, n_heads, n_inputs, n_outputs):
        super().__init__()
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(
            torch.empty(n_heads, n_inputs, n_outputs).uniform_(-bound, bound)
        )
        self.bias = nn.Parameter(torch.empty(n_heads, n_outputs).uniform_(-bound, bound))

    def forward(self, x):
        return torch.einsum("...hi,hio->...ho", x, self.weight) + self.bias
