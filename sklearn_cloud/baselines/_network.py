"""What every baseline with a neural network shares."""

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn
from tqdm.auto import tqdm

from ..encoder.devices import choose_bf16, choose_device
from ..estimators.base import NetEstimator
from ..estimators.checks import accept_strings, check_weights
from ..estimators.targets import StandardisedTargets
from ..symmetry.crystals import read_crystal
from ..symmetry.transformer import as_items
from ._batches import InputDataset


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

    def forward(self, **inputs):
        device = next(iter(inputs.values())).device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.bf16 and self.training):
            outputs = self.network(**inputs)
        return outputs.float()


class NetworkRegressor(RegressorMixin, StandardisedTargets, NetEstimator):
    """Base of the regressors that read crystals with a network of their own.

    They are trained as `CloudRegressor` is: AdamW on the mean absolute error of the standardised
    target, a learning rate that rises over the first tenth of the steps and then falls to zero
    along a cosine, and the epoch kept that does best on the validation rows. A subclass says how
    a crystal becomes the network's input, and which network it is:

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

    _parameter_constraints = {
        **NetEstimator._parameter_constraints,
        "precision": [StrOptions({"fp32", "bf16", "auto"})],
    }

    def __init__(
        self,
        *,
        max_epochs=100,
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
        self.max_epochs = max_epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def _read_item(self, crystal):
        """Input of the network for one crystal, or a ValueError that says what is wrong with it."""
        raise NotImplementedError

    def _size(self, inputs):
        raise NotImplementedError

    def _collate(self, batch):
        raise NotImplementedError

    def _network(self):
        raise NotImplementedError

    def _augment(self, inputs, rng):
        return inputs

    def _module(self):
        network, arguments = self._network()
        bf16 = choose_bf16(self.precision, self.device_)
        return MixedPrecision, {"network": network, "bf16": bf16, **arguments}

    def _key(self, crystal):
        """Equal for crystals that have the same input: they are read once."""
        return crystal.key

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as `SymmetryStringTransformer` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss; None weighs all alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If a row of ``X`` is no crystal.
        ValueError
            If a parameter, a crystal or a target cannot be used; the message names the row.
        """
        self._validate_params()
        items = as_items(X)
        # Should this fit fail, no earlier network is left behind with the scales of this one.
        vars(self).pop("net_", None)
        y = self._check_targets(y, len(items))
        weights = check_weights(sample_weight, len(items))
        device = choose_device(self.device)
        inputs, _, places = self._read(items)

        def dataset(rows, targets, weights, seed):
            return InputDataset([inputs[places[i]] for i in rows], self, targets, weights, seed)

        self._fit_net(dataset, y, weights, device)
        return self

    def predict(self, X):
        """Predict the targets of crystals.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the units of ``y``, one-dimensional where ``y`` was.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of ``X`` is no crystal that the network can read; the message names it.
        """
        check_is_fitted(self)
        inputs, keys, places = self._read(as_items(X))
        # An order of their own: neither that of the rows nor repetitions matter.
        order = sorted(range(len(inputs)), key=lambda i: (self._size(inputs[i]), keys[i]))
        outputs = self._outputs(InputDataset([inputs[i] for i in order], self))
        return self._in_units(outputs[np.argsort(order)[places]])

    def _read(self, items):
        """Distinct inputs, their keys, and which of them each row has."""
        inputs, numbers, places = [], {}, []
        label = f"{type(self).__name__}: reading"
        for row, item in enumerate(tqdm(items, desc=label, disable=not self.verbose)):
            try:
                crystal = self._read_crystal(item)
                key = self._key(crystal)
                if key not in numbers:
                    inputs.append(self._read_item(crystal))
                    numbers[key] = len(numbers)
            except (TypeError, ValueError) as error:
                kind = ValueError if isinstance(error, ValueError) else TypeError
                raise kind(f"row {row}: {error}") from error
            places.append(numbers[key])
        return inputs, list(numbers), np.array(places)

    def _read_crystal(self, item):
        crystal = read_crystal(item)
        if not self._takes_formulas and not hasattr(crystal, "positions"):
            raise ValueError(
                f"{type(self).__name__} needs a crystal structure, got the composition "
                f"{dict(crystal.amounts)} alone; pass a Structure, Atoms or CIF file, or use a "
                "baseline that reads compositions, such as RoostRegressor"
            )
        return crystal

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())
