"""ALIGNNRegressor: edge-gated convolutions on the bonds of a crystal and on their angles."""

from numbers import Integral
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.functional import silu

from .._compat import Interval
from ..features.elements import element_features
from ..graphs.crystal_graphs import GaussianExpansion, build_graph, sum_by
from ..graphs.line_graphs import check_angles, count_angles
from ..graphs.merged_graphs import mean_over_sites, merge_graph
from ..training.net_regressor import NetRegressor
from .merged_graph_network import MergedGraphNetwork

_N_DISTANCES, _DISTANCE_WIDTH = 80, 0.32  # of the Gaussians; in angstrom
_N_COSINES, _COSINE_WIDTH = 40, 0.23
_LARGEST_DISTANCE = 8.0  # angstrom


class BaseALIGNN(MergedGraphNetwork):
    """Input and network of `ALIGNNRegressor`."""

    max_neighbors: int = 12
    embedding_width: int = 64
    n_layers: int = 4
    n_convolutions: int = 4
    max_angles: int = 100_000
    learning_rate = 1e-3

    _parameter_constraints = {
        "max_neighbors": [Interval(Integral, 1, None, closed="left")],
        "embedding_width": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_convolutions": [Interval(Integral, 0, None, closed="left")],
        "max_angles": [Interval(Integral, 1, None, closed="left")],
    }

    def _network(self):
        return ALIGNNetwork, {
            "width": self.width,
            "embedding_width": self.embedding_width,
            "n_layers": self.n_layers,
            "n_convolutions": self.n_convolutions,
        }

    def _read_item(self, crystal):
        graph = build_graph(crystal, self.cutoff, self.max_neighbors, mutual=True)
        check_angles(graph, count_angles(graph.neighbors, graph.centers), self.max_angles)
        return merge_graph(graph, "consecutive")


class ALIGNNRegressor(BaseALIGNN, NetRegressor):
    """Predict numbers from crystal structures with an atomistic line graph neural network.

    Atoms are the nodes of a graph and bonds its edges; the bonds are also the nodes of a second
    graph, the line graph, whose edges are the angles between consecutive bonds. An edge-gated
    convolution updates nodes and edges of a graph together. The first layers convolve the line
    graph and then the graph of bonds, so that bonds learn from their angles and atoms from their
    bonds; the last ones convolve the graph of bonds alone. The prediction is linear in the mean
    over the atoms.

    Parameters
    ----------
    max_neighbors : int, default=12
        Nearest neighbours of an atom that become bonds, and all at the same distance as the last.
    embedding_width : int, default=64
        Width of the layer between the expanded distances and angles and their vectors.
    n_layers : int, default=4
        Number of layers on line graph and graph.
    n_convolutions : int, default=4
        Number of layers on the graph alone.
    max_angles : int, default=100000
        Crystals with more angles are refused, see Notes; equivalent ones count here.
    cutoff : float, default=8.0
        Largest distance of neighbours, in angstrom.
    width : int, default=64
        Length of the vectors of atoms, bonds and angles; 256 in the paper.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    See Also
    --------
    CGCNNRegressor : Without angles.
    CoNGNRegressor : Angles in the graph of the asymmetric unit.

    Notes
    -----
    From the description in [1]_: a bond in both directions between an atom and its 12 nearest
    neighbours, distances over 80 Gaussians up to 8 angstrom, cosines over 40, four layers of each
    kind, the gates of [2]_. Differences: a quarter of the width by default; layer instead of batch
    normalisation, as in the later versions of the authors' code; an atom starts from its element's
    properties as standardised numbers and places in the periodic table, averaged by occupancy
    where elements share a site; no neighbour is further than `cutoff`; where the twelfth neighbour
    has others at its distance, all are bonds, so that neither the order of the sites nor the choice
    of the cell matters. Training is that of `CloudRegressor`.

    An atom with 12 bonds has 144 angles. Sites, bonds and angles that are equivalent are computed
    once and counted, which leaves a fifth of the angles of jdft2d; a supercell costs what its
    primitive cell does. Training takes about 13 kB for each angle that is left, predicting 3 kB,
    with the default sizes: at most 1.3 GB for the largest crystal that is allowed. For tables of
    many large cells without symmetry, lower `batch_size` or `max_neighbors`.

    References
    ----------
    .. [1] K. Choudhary, B. DeCost, "Atomistic Line Graph Neural Network for improved materials
       property predictions", npj Comput. Mater. 7, 185 (2021).
    .. [2] X. Bresson, T. Laurent, "Residual Gated Graph ConvNets", arXiv:1711.07553 (2017).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import ALIGNNRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = ALIGNNRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class EdgeGatedConvolution(nn.Module):
    """Nodes take in their neighbours through gates, and edges take in the gates.

    The gates of a node are divided by their sum (Eqs. 1 to 3 of the paper).
    """

    def __init__(self, width):
        super().__init__()
        self.gate_of_center = nn.Linear(width, width)
        self.gate_of_neighbor = nn.Linear(width, width, bias=False)
        self.gate_of_edge = nn.Linear(width, width, bias=False)
        self.of_center = nn.Linear(width, width)
        self.of_neighbor = nn.Linear(width, width, bias=False)
        self.node_norm = nn.LayerNorm(width)
        self.edge_norm = nn.LayerNorm(width)

    def forward(self, nodes, edges, centers, neighbors, counts):
        of_centers = self.gate_of_center(nodes).index_select(0, centers)
        of_neighbors = self.gate_of_neighbor(nodes).index_select(0, neighbors)
        scores = of_centers + of_neighbors + self.gate_of_edge(edges)
        gates = torch.sigmoid(scores) * counts[:, None]
        passed = gates * self.of_neighbor(nodes).index_select(0, neighbors)
        seen = sum_by(passed, centers, len(nodes))
        seen = seen / (sum_by(gates, centers, len(nodes)) + 1e-6)
        new_nodes = nodes + silu(self.node_norm(self.of_center(nodes) + seen))
        return new_nodes, edges + silu(self.edge_norm(scores))


class LineGraphLayer(nn.Module):
    """Bonds and angles convolved on the line graph, then atoms and bonds on the graph."""

    def __init__(self, width):
        super().__init__()
        self.line = EdgeGatedConvolution(width)
        self.bonds = EdgeGatedConvolution(width)

    def forward(self, atoms, bonds, angles, graph, line_graph):
        bonds, angles = self.line(bonds, angles, *line_graph)
        atoms, bonds = self.bonds(atoms, bonds, *graph)
        return atoms, bonds, angles


def embedding(*widths):
    """Linear layers of these widths, each with normalisation and SiLU."""
    layers = []
    for n_inputs, n_outputs in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(n_inputs, n_outputs), nn.LayerNorm(n_outputs), nn.SiLU()]
    return nn.Sequential(*layers)


class ALIGNNetwork(nn.Module):
    """Embedded elements, distances and angles, two kinds of layers, mean over the atoms."""

    def __init__(self, n_outputs, width, embedding_width, n_layers, n_convolutions):
        super().__init__()
        table = torch.tensor(element_features(), dtype=torch.float32)
        self.register_buffer("elements", table, persistent=False)
        self.embed = embedding(table.shape[1], width)
        self.distances = GaussianExpansion(_LARGEST_DISTANCE, _N_DISTANCES, _DISTANCE_WIDTH)
        self.cosines = GaussianExpansion(1.0, _N_COSINES, _COSINE_WIDTH, smallest=-1.0)
        self.embed_bonds = embedding(_N_DISTANCES, embedding_width, width)
        self.embed_angles = embedding(_N_COSINES, embedding_width, width)
        self.layers = nn.ModuleList(LineGraphLayer(width) for _ in range(n_layers))
        self.convolutions = nn.ModuleList(
            EdgeGatedConvolution(width) for _ in range(n_convolutions)
        )
        self.output = nn.Linear(width, n_outputs)

    def forward(self, **batch):
        graph = SimpleNamespace(**batch)
        species = graph.occupancies[:, None] * self.elements[graph.elements]
        atoms = self.embed(sum_by(species, graph.sites, len(graph.multiplicities)))
        bonds = self.embed_bonds(self.distances(graph.distances))
        angles = self.embed_angles(self.cosines(graph.cosines))
        on_atoms = (graph.centers, graph.neighbors, graph.bond_counts)
        on_bonds = (graph.first, graph.second, graph.angle_counts)
        for layer in self.layers:
            atoms, bonds, angles = layer(atoms, bonds, angles, on_atoms, on_bonds)
        for convolution in self.convolutions:
            atoms, bonds = convolution(atoms, bonds, *on_atoms)
        return self.output(mean_over_sites(atoms, graph))
