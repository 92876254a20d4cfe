"""Finder: self-attention on the graph of a formula."""

from numbers import Integral

import torch
from torch import nn

from .._compat import Interval
from .composition_network import CompositionRegressor, ElementEmbedding, weighted_softmax


class FinderRegressor(CompositionRegressor):
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
    max_epochs : int, default=150
        Passes over the training rows.
    learning_rate : float, default=5e-4
        Highest learning rate.
    batch_size : int, default=32
        Rows per training step.
    weight_decay : float, default=0.01
        Weight decay of AdamW; biases are spared.
    validation_fraction : float, default=0.1
        Share of the rows that is taken out of the training rows to choose the best epoch. With
        0 nothing is held out and the last epoch is kept.
    patience : int, default=None
        Stop after this many epochs without a better validation loss; None never stops early.
    device : str or torch.device, default=None
        Where to compute; None is CUDA where there is one, else the CPU.
    precision : {"fp32", "bf16", "auto"}, default="fp32"
        Precision of the training. "auto" is bfloat16 where the hardware multiplies in it, else
        float32. Predictions are always made in float32.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, batches and validation rows.
    verbose : int, default=0
        Above 0 shows progress bars.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; `net_.module_.network` is the PyTorch module.
    loss_curve_ : list of float
        Training loss of every epoch: mean absolute error in units of `target_scale_`.
    validation_scores_ : list of float or None
        The same on the validation rows; None without validation.
    best_epoch_, n_iter_ : int
        Epoch whose weights are kept, counted from 1, and epochs that were trained.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the targets over the training rows.
    n_outputs_, n_parameters_ : int
        Number of targets and of trained weights.
    device_ : str
        Where the net is.

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

    _parameter_constraints = {
        **CompositionRegressor._parameter_constraints,
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        width=128,
        n_layers=3,
        n_heads=4,
        max_epochs=150,
        learning_rate=5e-4,
        batch_size=32,
        weight_decay=0.01,
        validation_fraction=0.1,
        patience=None,
        device=None,
        precision="fp32",
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            max_epochs=max_epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            weight_decay=weight_decay,
            validation_fraction=validation_fraction,
            patience=patience,
            device=device,
            precision=precision,
            random_state=random_state,
            verbose=verbose,
        )
        self.width = width
        self.n_layers = n_layers
        self.n_heads = n_heads

    def _network(self):
        if self.width % self.n_heads:
            raise ValueError(f"width={self.width} must be a multiple of n_heads={self.n_heads}.")
        return Finder, {"width": self.width, "n_layers": self.n_layers, "n_heads": self.n_heads}


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
