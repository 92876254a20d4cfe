"""Base class of the networks that read crystals themselves."""

from functools import partial

import torch
from torch import nn

from ..crystals.items import as_items
from ..crystals.rows import compute_rows, each, need_structure, read_rows
from .checks import accept_strings
from .data import Inputs
from .devices import choose_bf16
from .estimator import NetEstimator


class MixedPrecision(nn.Module):
    """A network that trains in mixed precision where it is told to, and predicts in float32.

    Parameters
    ----------
    network : type
        Class of the network, whose ``forward`` takes tensors by name.
    bf16 : bool
        Whether to multiply in bfloat16 while training; weights stay in float32.
    **arguments
        Of ``network``.
    """

    def __init__(self, network, bf16, **arguments):
        super().__init__()
        self.network = network(**arguments)
        self.bf16 = bf16

    @property
    def encoder(self):
        """Encoder of the network; only those that can start from pre-trained weights have one."""
        return self.network.encoder

    def forward(self, **inputs):
        device = next(iter(inputs.values())).device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.bf16 and self.training):
            outputs = self.network(**inputs)
        return outputs.float()


class CrystalNetwork(NetEstimator):
    """Base of the estimators that read crystals with a network of their own.

    They are trained as `CloudRegressor` and `CloudClassifier` are: with AdamW, a learning rate that
    rises over the first tenth of the steps and then falls to zero along a cosine, and the epoch
    kept that does best on the validation rows. A subclass says how a crystal becomes the network's
    input, and which network it is; with `NetRegressor` as a second base it predicts numbers, with
    `NetClassifier` classes.

    - `_read_item`: one crystal to its input, a tuple of small arrays.
    - `_size`: size of an input; batches hold inputs of like size.
    - `_collate`: a list of inputs to the tensors that are the arguments of the module's `forward`,
      which returns a tensor of shape (n_rows, n_outputs).
    - `_network`: class of the module and its arguments other than ``n_outputs``.
    - `_augment`: a training input as it is seen in one epoch.

    The rows of a batch must not take notice of each other when the module predicts.
    """

    #: Whether a composition is enough; otherwise `_read_item` gets crystals with a structure only.
    _takes_formulas = False

    def _read_item(self, crystal):
        """Input of the network for one crystal, or a ValueError that says what is wrong with it."""
        raise NotImplementedError

    def _network(self):
        raise NotImplementedError

    def _module(self):
        network, arguments = self._network()
        bf16 = choose_bf16(self.precision, self.device_)
        return MixedPrecision, {"network": network, "bf16": bf16, **arguments}

    def _key(self, crystal):
        """Equal for crystals that have the same input: they are read once."""
        return crystal.key

    def _check_rows(self, X):
        return as_items(X)

    def _read(self, items):
        label = f"{type(self).__name__}: reading" if self.verbose else None
        crystals = read_rows(items, label=label)
        rows = compute_rows(crystals, partial(each, self._read_checked), key=self._key, n_jobs=1)
        return Inputs(rows.results, rows.keys, rows.places)

    def _read_checked(self, crystal):
        if not self._takes_formulas:
            need_structure(
                crystal,
                type(self).__name__,
                ", or use a baseline that reads compositions, such as RoostRegressor",
            )
        return self._read_item(crystal)

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())
