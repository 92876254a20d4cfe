"""WrenformerRegressor: a transformer over the occupied Wyckoff positions."""

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from .._compat import Interval
from ..features.elements import atomic_numbers, element_features
from ..symmetry.search import find_symmetry
from ..training.crystal_network import CrystalNetwork
from ..training.net_regressor import NetRegressor

_LETTERS = "abcdefghijklmnopqrstuvwxyzA"
_N_SPACE_GROUPS = 230
_EPSILON = 1e-6  # under the root of a standard deviation, whose slope at 0 is infinite


class WyckoffOrbits(NamedTuple):
    """What the network reads of one crystal.

    Attributes
    ----------
    space_group : int
    letters : ndarray of shape (n_orbits,), int
        Place in the alphabet of the Wyckoff letter of each orbit.
    multiplicities : ndarray of shape (n_orbits,), float32
        Sites of each orbit in the conventional cell.
    orbits, elements : ndarray of shape (n_species,), int
        Orbit and atomic number of everything that sits somewhere; an ordered orbit holds one.
    occupancies : ndarray of shape (n_species,), float32
    """

    space_group: int
    letters: np.ndarray
    multiplicities: np.ndarray
    orbits: np.ndarray
    elements: np.ndarray
    occupancies: np.ndarray


class WrenformerNetwork(nn.Module):
    """Tokens from element and Wyckoff position, transformer, statistics, residual layers."""

    def __init__(self, n_outputs, width, n_layers, n_heads, dropout, head_widths):
        super().__init__()
        table = torch.zeros(119, element_features().shape[1])
        table[1:] = torch.tensor(element_features())
        self.register_buffer("elements", table, persistent=False)
        self.element = nn.Linear(table.shape[1], width)
        self.space_group = nn.Embedding(_N_SPACE_GROUPS + 1, width)
        self.letter = nn.Embedding(len(_LETTERS), width)
        self.token = nn.Linear(2 * width + 1, width)
        layer = nn.TransformerEncoderLayer(
            width, n_heads, 4 * width, dropout, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, n_layers, enable_nested_tensor=False)
        widths = [4 * width, *head_widths]
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in pairs)
        self.shortcuts = nn.ModuleList(nn.Linear(m, n, bias=False) for m, n in pairs)
        self.output = nn.Linear(widths[-1], n_outputs)

    def forward(self, space_groups, letters, weights, elements, occupancies):
        """Outputs, shape (n_rows, n_outputs); a token of weight 0 is padding."""
        held = (occupancies[..., None] * self.elements[elements]).sum(dim=2)
        places = self.letter(letters) + self.space_group(space_groups)[:, None]
        tokens = torch.cat([self.element(held), places, weights[..., None]], dim=2)
        tokens = self.encoder(self.token(tokens), src_key_padding_mask=weights == 0)
        hidden = _statistics(tokens, weights[..., None])
        for layer, shortcut in zip(self.layers, self.shortcuts, strict=True):
            hidden = torch.relu(layer(hidden)) + shortcut(hidden)
        return self.output(hidden)


def _statistics(tokens, weights):
    """Weighted mean and deviation, minimum and maximum over the tokens of each row."""
    padding = weights == 0
    tokens = tokens.masked_fill(padding, 0.0)
    mean = (tokens * weights).sum(dim=1)
    variance = ((tokens - mean[:, None]) ** 2 * weights).sum(dim=1)
    smallest = tokens.masked_fill(padding, torch.inf).amin(dim=1)
    largest = tokens.masked_fill(padding, -torch.inf).amax(dim=1)
    return torch.cat([mean, torch.sqrt(variance + _EPSILON), smallest, largest], dim=1)


class BaseWrenformer(CrystalNetwork):
    """Input and network of `WrenformerRegressor`."""

    width: int = 128
    n_layers: int = 3
    n_heads: int = 4
    dropout: float = 0.1
    head_widths: tuple = (256, 128)
    symprec: float = 0.1
    learning_rate = 3e-4

    _parameter_constraints = {
        "width": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "head_widths": ["array-like"],
        "symprec": [Interval(Real, 0, None, closed="neither")],
    }

    def _network(self):
        if self.width % self.n_heads:
            raise ValueError(
                f"width must be a multiple of n_heads, got {self.width} and {self.n_heads}."
            )
        return WrenformerNetwork, {
            "width": self.width,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "dropout": self.dropout,
            "head_widths": tuple(self.head_widths),
        }

    def _read_item(self, crystal):
        number, orbits, sites, *_ = find_symmetry(crystal, symprec=self.symprec)
        held = [crystal.species[crystal.kinds[site]] for site in sites]
        species = [(i, *entry) for i, entries in enumerate(held) for entry in entries]
        return WyckoffOrbits(
            space_group=number,
            letters=np.array([_LETTERS.index(orbit.position[-1]) for orbit in orbits]),
            multiplicities=np.array([orbit.position[:-1] for orbit in orbits], dtype=np.float32),
            orbits=np.array([orbit for orbit, _, _ in species]),
            elements=np.array([atomic_numbers()[element] for _, element, _ in species]),
            occupancies=np.array([amount for _, _, amount in species], dtype=np.float32),
        )

    def _size(self, inputs):
        return len(inputs.letters)

    def _collate(self, batch):
        n_orbits = max(len(one.letters) for one in batch)
        n_species = max(np.bincount(one.orbits).max() for one in batch)
        shape = (len(batch), n_orbits)
        letters, weights = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        elements = np.zeros((*shape, n_species), dtype=np.int64)
        occupancies = np.zeros((*shape, n_species), dtype=np.float32)
        for row, one in enumerate(batch):
            letters[row, : len(one.letters)] = one.letters
            weights[row, : len(one.letters)] = one.multiplicities / one.multiplicities.sum()
            places = np.arange(len(one.orbits)) - np.searchsorted(one.orbits, one.orbits)
            elements[row, one.orbits, places] = one.elements
            occupancies[row, one.orbits, places] = one.occupancies
        space_groups = np.array([one.space_group for one in batch])
        arrays = {"space_groups": space_groups, "letters": letters, "weights": weights}
        arrays |= {"elements": elements, "occupancies": occupancies}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


class WrenformerRegressor(BaseWrenformer, NetRegressor):
    """Predict numbers from the occupied Wyckoff positions of a crystal.

    The paper's Wrenformer: each orbit of the crystal is a token made of its element and of its
    Wyckoff position; a transformer lets the tokens take notice of each other, their statistics go
    through layers with shortcuts. Neither cell lengths nor coordinates are seen.

    Parameters
    ----------
    width : int, default=128
        Size of the tokens.
    n_layers : int, default=3
        Transformer layers.
    n_heads : int, default=4
        Attention heads per layer; divides `width`.
    dropout : float, default=0.1
        Dropout in the transformer while training.
    head_widths : tuple of int, default=(256, 128)
        Widths of the layers with shortcuts.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    Notes
    -----
    Wren [1]_ represents a crystal by its orbits, Wrenformer [2]_ puts a transformer in the place
    of Wren's message passing. What is different here:

    - One network in the place of an ensemble of ten, a mean absolute error in the place of a
      robust loss with predicted noise, AdamW with the schedule of `CloudRegressor`.
    - Elements enter by tabulated properties (`element_features`) in the place of vectors learnt
      from the literature; a Wyckoff position is the sum of two learnt vectors, one of the space
      group and one of the letter, in the place of a table of site symmetries.
    - The share of an orbit in the sites of the cell is an entry of its token, and its weight in
      the mean and the deviation over the tokens.
    - The same crystal can be labelled in several equivalent ways, since a change of origin or
      axes that keeps the space group permutes the Wyckoff letters. Wren averages over all of
      them, so that the arbitrary labelling of a symmetry finder does not matter. Here the letters
      are canonical (see `canonical_orbits`): equivalent labelings are one and the same input, and
      the prediction is invariant without an average. The smoothing of an average is lost.

    A disordered site enters as the mean of its elements, weighted by their occupancies.

    References
    ----------
    .. [1] Goodall, Parackal, Faber, Armiento and Lee, Rapid discovery of stable materials by
       coordinate-free coarse graining, Science Advances 8, eabn4117 (2022).
    .. [2] Riebesell et al., Matbench Discovery, arXiv:2308.14920 (2023).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import WrenformerRegressor
    >>> crystals = [
    ...     Structure(Lattice.cubic(a), [metal, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    ...     for metal, a in [("Cs", 4.12), ("Tl", 3.83), ("Rb", 3.75)]
    ... ]
    >>> model = WrenformerRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(crystals, [4.12, 3.83, 3.75]).predict(crystals).shape
    (3,)
    """
