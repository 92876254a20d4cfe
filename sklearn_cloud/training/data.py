"""What a network reads, in batches: every batch is a dictionary of tensors."""

from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

# Rows are sorted by length within pools of this many batches: little padding is left, and who
# shares a batch still changes from epoch to epoch.
POOL_BATCHES = 16


class Inputs(NamedTuple):
    """What a network reads of some rows, every distinct input once.

    Attributes
    ----------
    distinct : list
        The inputs.
    keys : list
        Of each distinct input, for sorting: equal rows have equal keys.
    places : ndarray of shape (n_rows,), int
        Which of the distinct inputs each row has.
    """

    distinct: list
    keys: list
    places: np.ndarray


def distinct_inputs(keys, read):
    """Inputs of rows, read once for each distinct key.

    Parameters
    ----------
    keys : iterable of (hashable, row)
        The key of each row, and the row itself.
    read : callable
        Makes the input of a row.

    Returns
    -------
    Inputs
    """
    inputs, numbers, places = [], {}, []
    for key, row in keys:
        if key not in numbers:
            inputs.append(read(row))
            numbers[key] = len(numbers)
        places.append(numbers[key])
    return Inputs(inputs, list(numbers), np.array(places))


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
    model : estimator
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


def sorted_dataset(inputs, model):
    """A dataset of every distinct input, in an order of its own: by size, then by key.

    What is computed this way depends neither on the order of the rows nor on repetitions.

    Parameters
    ----------
    inputs : Inputs
    model : estimator
        As for `InputDataset`.

    Returns
    -------
    dataset : InputDataset
    rows : ndarray of shape (n_rows,)
        Where in the dataset each row's input is.
    """
    sizes = [model._size(one) for one in inputs.distinct]
    order = sorted(range(len(sizes)), key=lambda i: (sizes[i], inputs.keys[i]))
    dataset = InputDataset([inputs.distinct[i] for i in order], model)
    return dataset, np.argsort(order)[inputs.places]


class PaddedBatches:
    """Iterate over a dataset in batches; the place of a DataLoader in the skorch net.

    Parameters
    ----------
    dataset : InputDataset
    batch_size : int
    seed : int, default=None
        Shuffle anew in every pass, from this seed; None keeps the order of the rows.
    """

    def __init__(self, dataset, batch_size, seed=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.rng = None if seed is None else np.random.RandomState(seed)

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        if self.rng is None:
            batches = cut(np.arange(len(self.dataset)), self.batch_size)
        else:
            batches = shuffled_by_length(self.dataset.lengths, self.batch_size, self.rng)
        for rows in batches:
            yield self.dataset.batch(rows)


def shuffled_by_length(lengths, batch_size, rng):
    """Random batches of rows of similar length.

    Parameters
    ----------
    lengths : ndarray of shape (n_rows,)
    batch_size : int
    rng : numpy.random.RandomState

    Returns
    -------
    list of ndarray
        Row numbers of each batch; together every row once.
    """
    batches = []
    for pool in cut(rng.permutation(len(lengths)), POOL_BATCHES * batch_size):
        by_length = pool[np.argsort(lengths[pool], kind="stable")]
        batches += cut(by_length, batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def cut(rows, size):
    """Consecutive pieces of ``size`` rows; the last one may be shorter."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]
