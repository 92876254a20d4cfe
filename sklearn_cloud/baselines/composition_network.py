"""Base class of the networks for compositions: formulas as elements with fractions."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ..features.elements import N_ELEMENTS, atomic_numbers, element_features
from ..training.crystal_network import CrystalNetwork


class ElementSet(NamedTuple):
    """The distinct elements of a composition.

    Attributes
    ----------
    numbers : ndarray of shape (n_elements,), int
        Atomic numbers, ascending.
    fractions : ndarray of shape (n_elements,), float32
        Atomic fractions, which add up to 1.
    """

    numbers: np.ndarray
    fractions: np.ndarray


class CompositionNetwork(CrystalNetwork):
    """Base of the networks that read the composition alone: formulas will do.

    The module's ``forward`` takes ``numbers`` and ``fractions``, both of shape
    (n_rows, n_elements), short rows filled up with zeros.
    """

    _takes_formulas = True

    def _key(self, crystal):
        total = sum(crystal.composition.values())
        # As exact as float32, so that a supercell is the same composition.
        return tuple(
            sorted((element, round(n / total, 7)) for element, n in crystal.composition.items())
        )

    def _read_item(self, crystal):
        numbers = atomic_numbers()
        amounts = sorted((numbers[element], n) for element, n in crystal.composition.items())
        fractions = np.array([n for _, n in amounts]) / sum(n for _, n in amounts)
        return ElementSet(np.array([number for number, _ in amounts]), fractions.astype(np.float32))

    def _size(self, inputs):
        return len(inputs.numbers)

    def _collate(self, batch):
        shape = len(batch), max(len(one.numbers) for one in batch)
        numbers, fractions = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        for row, one in enumerate(batch):
            numbers[row, : len(one.numbers)] = one.numbers
            fractions[row, : len(one.numbers)] = one.fractions
        return {"numbers": torch.from_numpy(numbers), "fractions": torch.from_numpy(fractions)}


class ElementEmbedding(nn.Module):
    """Vectors of the elements: a trained linear map of their properties, plus a trained vector.

    The properties let an element that is absent from the training rows borrow from its
    neighbours in the periodic table; its own vector starts at zero. Row 0 is padding.
    """

    def __init__(self, width):
        super().__init__()
        features = torch.zeros(N_ELEMENTS + 1, element_features().shape[1])
        features[1:] = torch.from_numpy(element_features().copy())
        self.register_buffer("features", features, persistent=False)
        self.project = nn.Linear(features.shape[1], width)
        self.own = nn.Embedding(N_ELEMENTS + 1, width, padding_idx=0)
        nn.init.zeros_(self.own.weight)

    def forward(self, numbers):
        return self.project(self.features[numbers]) + self.own(numbers)


class ResidualOutput(nn.Module):
    """Fully connected layers with a linear shortcut around each, then a linear output."""

    def __init__(self, width, hidden, n_outputs):
        super().__init__()
        widths = (width, *hidden)
        pairs = list(zip(widths[:-1], widths[1:]))
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairs)
        self.shortcuts = nn.ModuleList(nn.Linear(*pair, bias=False) for pair in pairs)
        self.output = nn.Linear(widths[-1], n_outputs)

    def forward(self, x):
        for layer, shortcut in zip(self.layers, self.shortcuts):
            x = torch.relu(layer(x)) + shortcut(x)
        return self.output(x)


def weighted_softmax(energies, fractions):
    """Attention ``f_j exp(e_j) / sum_k f_k exp(e_k)`` over the last axis.

    An element that is not there, a filled up place of fraction 0, gets none. Both of shape
    (..., n_elements), broadcast against each other.
    """
    absent = fractions == 0
    logs = fractions.masked_fill(absent, 1.0).log()
    return (energies + logs).masked_fill(absent, -torch.inf).softmax(dim=-1)
