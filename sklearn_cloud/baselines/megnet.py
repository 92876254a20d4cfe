"""MEGNetRegressor: message passing between atoms, bonds and a state of the whole crystal."""

import math
from numbers import Integral
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.functional import softplus

from .._compat import Interval
from ..features.elements import N_ELEMENTS
from ..graphs.crystal_graphs import (
    GaussianExpansion,
    build_graph,
    softmax_by,
    sum_by,
    weighted_mean_by,
)
from ..graphs.merged_graphs import merge_graph
from ..training.net_regressor import NetRegressor
from .merged_graph_network import MergedGraphNetwork

_STATE_WIDTH = 2  # of the initial state, which is zero


class BaseMEGNet(MergedGraphNetwork):
    """Input and network of `MEGNetRegressor`."""

    cutoff = 4.0
    n_blocks: int = 3
    embedding_width: int = 16
    hidden_width: int = 64
    width = 32
    n_steps: int = 3
    max_epochs = 240
    learning_rate = 1e-3

    _parameter_constraints = {
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "embedding_width": [Interval(Integral, 1, None, closed="left")],
        "hidden_width": [Interval(Integral, 1, None, closed="left")],
        "width": [Interval(Integral, 2, None, closed="left")],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def _network(self):
        return MEGNetwork, {
            "cutoff": float(self.cutoff),
            "n_blocks": self.n_blocks,
            "embedding_width": self.embedding_width,
            "hidden_width": self.hidden_width,
            "width": self.width,
            "n_steps": self.n_steps,
        }

    def _read_item(self, crystal):
        return merge_graph(build_graph(crystal, self.cutoff))


class MEGNetRegressor(BaseMEGNet, NetRegressor):
    """Predict numbers from crystal structures with a materials graph network.

    Atoms, the bonds between neighbours and the crystal as a whole each have a vector. In every
    block bonds learn from their atoms and the state, atoms from their bonds and the state, the
    state from the means over both; what goes in is added to what comes out. Set2Set then reads
    the atoms and the bonds, and a small network makes the prediction of both and the state.

    Parameters
    ----------
    n_blocks : int, default=3
        Number of graph blocks.
    embedding_width : int, default=16
        Length of an element's trained vector.
    hidden_width : int, default=64
        Width of the hidden layers inside the blocks.
    n_steps : int, default=3
        Steps of Set2Set.
    cutoff : float, default=4.0
        Largest distance of neighbours, in angstrom.
    width : int, default=32
        Length of the vectors of atoms, bonds and state.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    See Also
    --------
    CGCNNRegressor : Atoms alone have vectors; they start from the elements' properties.

    Notes
    -----
    From the description in [1]_: distances over 100 Gaussians of width 0.5 angstrom, elements as
    trained vectors, two dense layers before each exchange, three layers in it, and as activation a
    softplus shifted to be 0 at 0. The state starts from two zeros, because no property of the
    whole crystal is put in. Differences: no element vectors are taken over from a model of
    formation energies, as the paper does for small data sets; elements that share a site are
    averaged by occupancy; training is that of `CloudRegressor`: AdamW on the mean absolute error,
    learning rate along a cosine. All neighbours within `cutoff` are bonds, so neither the order of
    the sites nor the choice of the cell matters. An element that no training crystal holds keeps
    the random vector it started from.

    The network needs many epochs: on held-out rows of MatBench's phonons the error is 51.7 1/cm
    after 60 epochs and 41.7 after 240, which take four times as long. Atoms
    and bonds that are equivalent are computed once and counted.

    An atom without neighbours has no bonds and is predicted from its element; a crystal without
    any bond reads zeros in their place. On CUDA, sums over bonds are not reproducible to the last
    digit.

    References
    ----------
    .. [1] C. Chen, W. Ye, Y. Zuo, C. Zheng, S. P. Ong, "Graph Networks as a Universal Machine
       Learning Framework for Molecules and Crystals", Chem. Mater. 31, 3564 (2019).
    .. [2] O. Vinyals, S. Bengio, M. Kudlur, "Order Matters: Sequence to sequence for sets",
       ICLR (2016). The Set2Set that reads atoms and bonds.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import MEGNetRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = MEGNetRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class ShiftedSoftplus(nn.Module):
    """Softplus that is 0 at 0: log((1 + exp(x)) / 2)."""

    def forward(self, x):
        return softplus(x) - math.log(2)


def dense(*widths):
    """Linear layers of these widths, each followed by the activation."""
    layers = []
    for n_inputs, n_outputs in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(n_inputs, n_outputs), ShiftedSoftplus()]
    return nn.Sequential(*layers)


class GraphBlock(nn.Module):
    """Two dense layers for each of bonds, atoms and state, then one round of exchange."""

    def __init__(self, widths, hidden, width):
        super().__init__()
        self.dense = nn.ModuleList(dense(n, hidden, width) for n in widths)
        # a bond sees its two atoms, itself and the state; atom and state see all three
        self.update = nn.ModuleList(dense(n * width, hidden, hidden, width) for n in (4, 3, 3))

    def forward(self, bonds, atoms, state, graph):
        dense_bonds, dense_atoms, dense_state = (
            layer(rows) for layer, rows in zip(self.dense, (bonds, atoms, state), strict=True)
        )
        seen = [
            dense_atoms.index_select(0, graph.centers),
            dense_atoms.index_select(0, graph.neighbors),
            dense_bonds,
            dense_state.index_select(0, graph.bond_crystals),
        ]
        new_bonds = self.update[0](torch.cat(seen, dim=1))
        of_atoms = weighted_mean_by(new_bonds, graph.bond_counts, graph.centers, len(atoms))
        seen = [of_atoms, dense_atoms, dense_state.index_select(0, graph.crystals)]
        new_atoms = self.update[1](torch.cat(seen, dim=1))
        seen = [
            weighted_mean_by(new_bonds, graph.cell_bonds, graph.bond_crystals, len(state)),
            weighted_mean_by(new_atoms, graph.multiplicities, graph.crystals, len(state)),
            dense_state,
        ]
        new_state = self.update[2](torch.cat(seen, dim=1))
        # The inputs of the first block have other widths: there the dense layers' outputs return.
        same = bonds.shape[1] == new_bonds.shape[1]
        skip = (bonds, atoms, state) if same else (dense_bonds, dense_atoms, dense_state)
        return [x + new for x, new in zip(skip, (new_bonds, new_atoms, new_state), strict=True)]


class Set2Set(nn.Module):
    """Read a set of rows in a few steps of attention; each row is there `counts` times."""

    def __init__(self, width, n_steps):
        super().__init__()
        self.n_steps = n_steps
        self.lstm = nn.LSTMCell(2 * width, width)

    def forward(self, rows, counts, groups, n_groups):
        read = rows.new_zeros(n_groups, 2 * rows.shape[1])
        state = None
        for _ in range(self.n_steps):
            query, cell = state = self.lstm(read, state)
            scores = (rows * query.index_select(0, groups)).sum(dim=1, keepdim=True)
            weights = softmax_by(scores + counts.log()[:, None], groups, n_groups)
            read = torch.cat([query, sum_by(weights * rows, groups, n_groups)], dim=1)
        return read


class MEGNetwork(nn.Module):
    """Embedded elements and expanded distances, graph blocks, Set2Set, dense layers."""

    def __init__(self, n_outputs, cutoff, n_blocks, embedding_width, hidden_width, width, n_steps):
        super().__init__()
        self.embed = nn.Embedding(N_ELEMENTS, embedding_width)
        self.expand = GaussianExpansion(cutoff + 1, 100, width=0.5)
        inputs = [self.expand.centers.shape[0], embedding_width, _STATE_WIDTH]
        self.blocks = nn.ModuleList(
            GraphBlock([width] * 3 if i else inputs, hidden_width, width) for i in range(n_blocks)
        )
        self.read_bonds = Set2Set(width, n_steps)
        self.read_atoms = Set2Set(width, n_steps)
        self.head = nn.Sequential(
            dense(5 * width, width, width // 2), nn.Linear(width // 2, n_outputs)
        )

    def forward(self, **batch):
        graph = SimpleNamespace(**batch)
        n_crystals = len(graph.sizes)
        graph.crystals = torch.repeat_interleave(graph.sizes)
        graph.bond_crystals = graph.crystals[graph.centers]
        graph.cell_bonds = graph.bond_counts * graph.multiplicities[graph.centers]
        species = graph.occupancies[:, None] * self.embed(graph.elements)
        atoms = sum_by(species, graph.sites, len(graph.multiplicities))
        bonds, state = self.expand(graph.distances), atoms.new_zeros(n_crystals, _STATE_WIDTH)
        for block in self.blocks:
            bonds, atoms, state = block(bonds, atoms, state, graph)
        read = [
            self.read_bonds(bonds, graph.cell_bonds, graph.bond_crystals, n_crystals),
            self.read_atoms(atoms, graph.multiplicities, graph.crystals, n_crystals),
            state,
        ]
        return self.head(torch.cat(read, dim=1))
