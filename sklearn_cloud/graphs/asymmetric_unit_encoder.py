"""The network on asymmetric units: deep messages along the edges, summed at each node."""

import torch
from torch import nn
from torch.nn.functional import silu

from ..features.elements import element_features
from .crystal_graphs import GaussianExpansion, sum_by

_LARGEST_DISTANCE, _N_DISTANCES, _DISTANCE_WIDTH = 8.0, 32, 0.35  # angstrom
_LARGEST_AREA, _N_AREAS, _AREA_WIDTH = 30.0, 32, 1.3  # square angstrom


def perceptron(n_inputs, width, n_layers):
    """Linear layers with SiLU, with Glorot's initial weights: their outputs keep their size."""
    layers = []
    for _ in range(n_layers):
        linear = nn.Linear(n_inputs, width)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.SiLU()]
        n_inputs = width
    return nn.Sequential(*layers)


class PairMessage(nn.Module):
    """Perceptron on the vectors of an edge and its two nodes.

    The first layer is linear in each of the three, so that the nodes pass it before they are
    copied to their edges.
    """

    def __init__(self, width, edge_width, n_layers):
        super().__init__()
        self.center = nn.Linear(width, width)
        self.neighbor = nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(edge_width, width, bias=False)
        self.rest = perceptron(width, width, n_layers - 1)

    def forward(self, nodes, edges, centers, neighbors):
        of_centers = self.center(nodes).index_select(0, centers)
        of_neighbors = self.neighbor(nodes).index_select(0, neighbors)
        return self.rest(silu(of_centers + of_neighbors + self.edge(edges)))


class CoGNBlock(nn.Module):
    """Messages along the edges, their sum at each node, a residual update."""

    def __init__(self, width, message_layers):
        super().__init__()
        self.message = PairMessage(width, width, message_layers)
        self.update = perceptron(width, width, 1)

    def forward(self, nodes, edges, centers, neighbors, counts):
        messages = self.message(nodes, edges, centers, neighbors) * counts[:, None]
        return nodes + self.update(sum_by(messages, centers, len(nodes)))


class AsymmetricUnitEmbedding(nn.Module):
    """Nodes from their elements; edges from their distances and, if there are, face areas."""

    def __init__(self, width, use_areas):
        super().__init__()
        table = torch.tensor(element_features(), dtype=torch.float32)
        self.register_buffer("elements", table, persistent=False)
        self.embed = nn.Linear(table.shape[1], width)
        self.distances = GaussianExpansion(_LARGEST_DISTANCE, _N_DISTANCES, _DISTANCE_WIDTH)
        self.areas = GaussianExpansion(_LARGEST_AREA, _N_AREAS, _AREA_WIDTH) if use_areas else None
        self.edge = perceptron(_N_DISTANCES + (_N_AREAS if use_areas else 0), width, 1)

    def forward(self, graph):
        species = graph.occupancies[:, None] * self.embed(self.elements[graph.elements])
        edges = self.distances(graph.distances)
        if self.areas is not None:
            edges = torch.cat([edges, self.areas(graph.areas)], dim=1)
        return sum_by(species, graph.sites, len(graph.multiplicities)), self.edge(edges)


class AsymmetricUnitEncoder(nn.Module):
    """Embedding of nodes and edges, and blocks."""

    def __init__(self, width, n_blocks, message_layers, use_areas=False):
        super().__init__()
        self.embedding = AsymmetricUnitEmbedding(width, use_areas)
        self.blocks = nn.ModuleList(CoGNBlock(width, message_layers) for _ in range(n_blocks))

    def update(self, nodes, edges, graph):
        """Return the vectors of the nodes after all blocks."""
        for block in self.blocks:
            nodes = block(nodes, edges, graph.centers, graph.neighbors, graph.bond_counts)
        return nodes
