"""Finder: self-attention on the graph of a formula."""

from numbers import Integral

import torch
from torch import nn

from .._compat import Interval
from ..training.net_regressor import NetRegressor
from .composition_network import CompositionNetwork, ElementEmbedding, weighted_softmax


class BaseFinder(CompositionNetwork):
    """Input and network of `FinderRegressor`."""

    width: int = 128
    n_layers: int = 3
    n_heads: int = 4
    max_epochs = 150

    _parameter_constraints = {
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
    }

    def _network(self):
        if self.width % self.n_heads:
            raise ValueError(f"width={self.width} must be a multiple of n_heads={self.n_heads}.")
        return Finder, {"width": self.width, "n_layers": self.n_layers, "n_heads": self.n_heads}


class FinderRegressor(BaseFinder, NetRegressor):
    """Predict numbers from compositions by self-attention on their formula graph.

    The atoms of a formula are the nodes of a graph in which all are neighbours. In every layer a
    network makes a message of each pair of atoms, attention weighs the messages that reach an
    atom, and their sum is added to the atom's vector; attention pools the atoms in the end.

    Parameters
    ----------
    width : int, default=128
        Numbers per atom, a multiple of `n_heads`.
    n_layers : int, default=3
        Message passing layers.
    n_heads : int, default=4
        Attention heads of each layer.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    Notes
    -----
    The variant of [1]_ that sees the composition alone. From the paper are the formula graph, the
    messages weighted by self-attention, the residual updates and the pooling by attention. The
    paper's graph has one node for each atom of the formula in whole numbers. Atoms of one element
    have the same neighbours and so stay alike in all layers: here an element is one node, weighted
    by its fraction in every softmax, which comes to the same and takes any fractions. An atom is
    its own neighbour too, so that pure elements need no exception. What differs besides: elements
    begin from properties in the periodic table instead of pre-trained vectors, the sizes of the
    layers were chosen here, the pooling is a weighted mean, so that it does not depend on the
    formula unit, and the training is that of `CloudRegressor`.

    References
    ----------
    .. [1] A. Ihalage, Y. Hao, "Formula graph self-attention network for representation-domain
       independent materials discovery", Advanced Science 9, 2200164 (2022).

    Examples
    --------
    >>> from sklearn_cloud.baselines import FinderRegressor
    >>> formulas, gaps = ["NaCl", "ZnS", "Si"] * 4, [8.5, 3.6, 1.1] * 4
    >>> model = FinderRegressor(max_epochs=2, random_state=0).fit(formulas, gaps)
    >>> model.predict(["KCl"]).shape
    (1,)
    """


class Finder(nn.Module):
    """The network of `FinderRegressor`."""

    def __init__(self, n_outputs, width, n_layers, n_heads):
        super().__init__()
        self.embed = ElementEmbedding(width)
        self.layers = nn.ModuleList(FormulaAttention(width, n_heads) for _ in range(n_layers))
        self.pool = nn.Linear(width, 1)
        self.output = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, n_outputs),
        )  # fmt: skip

    def forward(self, numbers, fractions):
        x = self.embed(numbers)
        for layer in self.layers:
            x = x + layer(x, fractions)
        attention = weighted_softmax(self.pool(x)[..., 0], fractions)
        return self.output((attention[..., None] * x).sum(dim=1))


class FormulaAttention(nn.Module):
    """What each atom receives: messages of all atoms, weighted by attention in several heads."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.receive, self.send = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.message = nn.Linear(width, width)
        self.energy = nn.Linear(width, n_heads)
        self.merge = nn.Linear(width, width)
        self.n_heads = n_heads

    def forward(self, x, fractions):
        # a layer on both atoms of a pair at once, without making all pairs of vectors first
        pairs = nn.functional.silu(self.receive(x)[:, :, None] + self.send(x)[:, None])
        energies = self.energy(pairs).permute(0, 1, 3, 2)  # (row, receiver, head, sender)
        attention = weighted_softmax(energies, fractions[:, None, None])
        messages = nn.functional.silu(self.message(pairs)).unflatten(-1, (self.n_heads, -1))
        return self.merge(torch.einsum("brhs,brshw->brhw", attention, messages).flatten(-2))
