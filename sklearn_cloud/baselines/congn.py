"""CoNGNRegressor: a graph network on the asymmetric unit with a nested one on its line graph."""

from numbers import Integral
from types import SimpleNamespace

import torch
from torch import nn

from .._compat import Interval
from ..graphs.asymmetric_unit_encoder import AsymmetricUnitEmbedding, PairMessage, perceptron
from ..graphs.crystal_graphs import GaussianExpansion, sum_by
from ..graphs.line_graphs import check_angles, count_angles
from ..graphs.merged_graphs import mean_over_sites, merge_graph
from ..training.net_regressor import NetRegressor
from .cogn import AsymmetricUnitNetwork

_LARGEST_ANGLE, _N_ANGLES, _ANGLE_WIDTH = 3.2, 16, 0.28  # radian


class BaseCoNGN(AsymmetricUnitNetwork):
    """Input and network of `CoNGNRegressor`."""

    max_angles: int = 100_000
    connectivity = "voronoi"
    message_layers = 4

    _parameter_constraints = {"max_angles": [Interval(Integral, 1, None, closed="left")]}

    def _network(self):
        return CoNGNetwork, self._sizes()

    def _read_item(self, crystal):
        graph, multiplicities, areas = self._build_graph(crystal)
        n_bonds = len(graph.centers)
        n_angles = count_angles(graph.centers, graph.centers) - n_bonds  # of different bonds
        check_angles(graph, n_angles, self.max_angles)
        return merge_graph(graph, "at site", multiplicities, areas)


class CoNGNRegressor(BaseCoNGN, NetRegressor):
    """Predict numbers from crystal structures with a connectivity-optimised nested graph network.

    `CoGNRegressor` sees distances only. Here the messages at a site are nodes of a graph of their
    own, the line graph, with an edge for every two of them, which carries the angle between their
    bonds. In each block a nested network exchanges between the messages before they are summed.
    Neighbours are those that share a face of the Voronoi tessellation.

    Parameters
    ----------
    max_angles : int, default=100000
        Crystals with more angles are refused, see Notes; equivalent ones count here.
    connectivity : {"nearest", "radius", "voronoi"}, default="voronoi"
        What makes two sites neighbours: one is among the `max_neighbors` nearest of the other, or
        within `cutoff`, or their Voronoi cells share a face. With "voronoi" the area of the face
        is an input next to the distance.
    max_neighbors : int, default=24
        Nearest neighbours of a site for "nearest", and all at the same distance as the last.
    n_blocks : int, default=5
        Number of blocks.
    message_layers : int, default=4
        Layers of the perceptrons for messages and nodes.
    symprec : float, default=0.01
        Distance within which sites count as equivalent, in angstrom.
    cutoff : float, default=8.0
        Largest distance of neighbours in angstrom; without effect for "voronoi".
    width : int, default=64
        Length of the vectors of nodes and messages; 160 in the paper.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    See Also
    --------
    CoGNRegressor : Without angles, and faster.
    ALIGNNRegressor : Angles in the graph of all sites.

    Notes
    -----
    From the description in [1]_: angles over 16 Gaussians, in the nested network messages and
    updates of two layers and a gated recurrent unit that mixes what a message hears with what it
    was, four layers for the messages, four for the nodes, and one hidden layer before the output.
    Differences: those of `CoGNRegressor`.

    A site with n neighbours has n (n - 1) angles, of which equivalent ones are computed once.
    Training takes about 10 kB for each angle that is left, predicting 2.3 kB, with the default
    sizes: at most 1.0 GB for the largest crystal that is allowed. For tables of crystals with many
    orbits, lower `batch_size`.

    References
    ----------
    .. [1] R. Ruff, P. Reiser, J. Stühmer, P. Friederich, "Connectivity optimized nested line graph
       networks for crystal structures", Digital Discovery 3, 594 (2024).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import CoNGNRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = CoNGNRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class NestedBlock(nn.Module):
    """Messages along the edges, exchanged along the line graph, summed at each node."""

    def __init__(self, width, message_layers):
        super().__init__()
        self.message = PairMessage(width, width, message_layers)
        self.exchange = PairMessage(width, _N_ANGLES, 2)
        self.heard = perceptron(width, width, 2)
        self.gate = nn.GRUCell(width, width)
        self.update = perceptron(width, width, message_layers)

    def forward(self, nodes, edges, angles, graph):
        messages = self.message(nodes, edges, graph.centers, graph.neighbors)
        exchanged = self.exchange(messages, angles, graph.first, graph.second)
        exchanged = exchanged * graph.angle_counts[:, None]
        heard = self.heard(sum_by(exchanged, graph.first, len(messages)))
        messages = self.gate(heard, messages) * graph.bond_counts[:, None]
        return nodes + self.update(sum_by(messages, graph.centers, len(nodes)))


class CoNGNetwork(nn.Module):
    """Embedding, nested blocks, mean over the sites of the cell, one hidden layer."""

    def __init__(self, n_outputs, width, n_blocks, message_layers, use_areas):
        super().__init__()
        self.embedding = AsymmetricUnitEmbedding(width, use_areas)
        self.angles = GaussianExpansion(_LARGEST_ANGLE, _N_ANGLES, _ANGLE_WIDTH)
        self.blocks = nn.ModuleList(NestedBlock(width, message_layers) for _ in range(n_blocks))
        self.head = nn.Sequential(*perceptron(width, width, 1), nn.Linear(width, n_outputs))

    def forward(self, **batch):
        graph = SimpleNamespace(**batch)
        nodes, edges = self.embedding(graph)
        angles = self.angles(torch.acos(graph.cosines))
        for block in self.blocks:
            nodes = block(nodes, edges, angles, graph)
        return self.head(mean_over_sites(nodes, graph))
