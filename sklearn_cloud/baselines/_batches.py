"""Batches of whatever a network reads: the place of `TokenDataset` for the other systems."""

import numpy as np
import torch
from torch.utils.data import Dataset


class Batch:
    """Arguments of a module's ``forward`` for ``n_rows`` rows, as tensors on the net's device.

    skorch wants to know the number of rows of a batch, which the tensors of a graph (so many
    atoms, so many bonds) do not tell, and unpacks an object with this method into arguments.
    """

    def __init__(self, tensors, n_rows):
        self.tensors = tensors
        self.n_rows = n_rows

    def __len__(self):
        return self.n_rows

    def convert_to_tensors(self, kind):
        return self.tensors


class InputDataset(Dataset):
    """Inputs of a network with targets and weights.

    Parameters
    ----------
    inputs : list
        What the network reads, a row each.
    model : NetworkRegressor
        Its `_size`, `_collate` and `_augment` turn inputs into batches; it is on `device_`.
    targets, weights : ndarray of shape (n_rows, ...), default=None
    seed : int, default=None
        Augment the inputs anew in every batch, from this seed; None leaves them as they are.
    """

    def __init__(self, inputs, model, targets=None, weights=None, seed=None):
        self.inputs = inputs
        self.lengths = np.array([model._size(one) for one in inputs], dtype=int)
        self.targets = None if targets is None else torch.as_tensor(targets)
        self.weights = None if weights is None else torch.as_tensor(weights)
        self.rng = None if seed is None else np.random.RandomState(seed)
        self._model = model

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, row):
        return self.inputs[row], None if self.targets is None else self.targets[row]

    def batch(self, rows):
        """Arguments of the module for some rows, and their (targets, weights)."""
        inputs = [self.inputs[row] for row in rows]
        if self.rng is not None:
            inputs = [self._model._augment(one, self.rng) for one in inputs]
        device = self._model.device_
        tensors = {name: t.to(device) for name, t in self._model._collate(inputs).items()}
        targets = () if self.targets is None else (self.targets[rows], self.weights[rows])
        return Batch(tensors, len(rows)), targets or torch.empty(0)
