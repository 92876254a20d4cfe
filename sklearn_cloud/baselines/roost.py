"""Roost: message passing between the elements of a formula."""

from numbers import Integral

import torch
from torch import nn
from torch.nn.functional import leaky_relu

from .._compat import Interval
from .composition_network import (
    CompositionRegressor,
    ElementEmbedding,
    ResidualOutput,
    weighted_softmax,
)


class RoostRegressor(CompositionRegressor):
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

    _parameter_constraints = {
        **CompositionRegressor._parameter_constraints,
        "width": [Interval(Integral, 2, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        width=64,
        n_layers=3,
        n_heads=3,
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
        return Roost, {"width": self.width, "n_layers": self.n_layers, "n_heads": self.n_heads}


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
