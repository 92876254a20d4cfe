"""CrysToGraphRegressor: attention among neighbours and angles, then among all atoms."""

from numbers import Integral, Real
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.functional import linear, scaled_dot_product_attention, softplus

from .._compat import Interval
from ..features.elements import element_features
from ..graphs.crystal_graphs import (
    GaussianExpansion,
    build_graph,
    softmax_by,
    sum_by,
    weighted_mean_by,
)
from ..graphs.line_graphs import check_angles, count_angles
from ..graphs.merged_graphs import mean_over_sites, merge_graph
from ..symmetry.asymmetric_unit import find_asymmetric_unit
from ..training.net_regressor import NetRegressor
from .merged_graph_network import MergedGraphNetwork
from .random_walks import WALK_STEPS, return_probabilities

_LARGEST_DISTANCE, _N_DISTANCES, _DISTANCE_WIDTH = 8.0, 41, 0.2  # angstrom
_N_COSINES, _COSINE_WIDTH = 30, 0.1


class BaseCrysToGraph(MergedGraphNetwork):
    """Input and network of `CrysToGraphRegressor`."""

    max_neighbors: int = 12
    bond_width: int = 32
    n_heads: int = 4
    n_convolutions: int = 3
    n_layers: int = 3
    symprec: float = 0.01
    max_angles: int = 100_000
    learning_rate = 2e-3

    _parameter_constraints = {
        "max_neighbors": [Interval(Integral, 1, None, closed="left")],
        "bond_width": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "n_convolutions": [Interval(Integral, 0, None, closed="left")],
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "symprec": [Interval(Real, 0, None, closed="neither")],
        "max_angles": [Interval(Integral, 1, None, closed="left")],
    }

    def _network(self):
        for name in ("width", "bond_width"):
            if getattr(self, name) % self.n_heads:
                raise ValueError(
                    f"{name}={getattr(self, name)} must be a multiple of n_heads={self.n_heads}"
                )
        return CrysToGraphNetwork, {
            "width": self.width,
            "bond_width": self.bond_width,
            "n_heads": self.n_heads,
            "n_convolutions": self.n_convolutions,
            "n_layers": self.n_layers,
        }

    def _read_item(self, crystal):
        reduced = find_asymmetric_unit(crystal, self.symprec).crystal
        graph = build_graph(reduced, self.cutoff, self.max_neighbors)
        check_angles(graph, count_angles(graph.neighbors, graph.centers), self.max_angles)
        return merge_graph(graph, "consecutive", returns=return_probabilities(graph))


class CrysToGraphRegressor(BaseCrysToGraph, NetRegressor):
    """Predict numbers from crystal structures with transformers on graphs.

    Short range: in each convolution the bonds attend to the bonds that start where they end, with
    the angle between the two, then the atoms attend to their neighbours, with the bond between the
    two. Long range: transformer layers in which every atom of the cell attends to every other. What
    random walks on the graph say of an atom tells these where it is. The mean over the atoms goes
    through a small network with softplus.

    Parameters
    ----------
    max_neighbors : int, default=12
        Nearest neighbours of an atom that become bonds, and all at the same distance as the last.
    bond_width : int, default=32
        Length of a bond's vector; 76 in the authors' code, with wider heads.
    n_heads : int, default=4
        Attention heads; divides `width` and `bond_width`. 8 in the paper.
    n_convolutions : int, default=3
        Number of convolutions.
    n_layers : int, default=3
        Number of transformer layers.
    symprec : float, default=0.01
        Tolerance of the search for the primitive cell, in angstrom.
    max_angles : int, default=100000
        Crystals with more angles are refused, see Notes; equivalent ones count here.
    cutoff : float, default=8.0
        Largest distance of neighbours, in angstrom.
    width : int, default=64
        Length of an atom's vector; 256 in the paper.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    See Also
    --------
    ALIGNNRegressor : Gates in the place of attention, and no long range.

    Notes
    -----
    From the description in [1]_ and the authors' code: 12 nearest neighbours, distances over
    Gaussians up to 8 angstrom, cosines of angles over 30, three convolutions, three transformer
    layers, return probabilities of random walks over 20 steps.

    The original's predictions change when a crystal is rotated or described by another origin or
    cell, because bonds have their direction as input, and atoms their coordinates and eigenvectors
    of the graph's Laplacian, whose signs are arbitrary. These inputs are left out, and the cell is
    reduced to the primitive one first, so the prediction here depends on the crystal alone. There
    is no pre-training. An atom starts from its element's properties instead of a pre-trained
    vector, averaged by occupancy where elements share a site; layer normalisation is in the place
    of batch normalisation. Training is that of `CloudRegressor` with a higher learning rate: with
    0.0005 and 30 epochs it was far from done on MatBench's phonons.

    An atom with 12 bonds has 144 angles. Sites, bonds and angles that are equivalent are computed
    once and counted. Training takes about 6.3 kB for each angle that is left, predicting 1.5 kB,
    with the default sizes: at most 0.6 GB for the largest crystal that is allowed. For tables of
    many large cells without symmetry, lower `batch_size` or `max_neighbors`.

    References
    ----------
    .. [1] H. Wang, J. Sun, J. Liang, L. Zhai, Z. Tang, Z. Li, W. Zhai, X. Wang, W. Gao, S. Gong,
       "CrysToGraph: A Comprehensive Predictive Model for Crystal Materials Properties and the
       Benchmark", arXiv:2407.16131 (2024).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import CrysToGraphRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = CrysToGraphRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class GraphAttention(nn.Module):
    """Transformer layer in which each node attends to its neighbours and the edges to them.

    Keys and values are made of both nodes and the edge (section "TGC" of the paper).
    """

    def __init__(self, width, edge_width, n_heads):
        super().__init__()
        head = width // n_heads
        self.heads = (n_heads, head)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.edge = nn.Linear(edge_width, width, bias=False)
        self.key_of_three = nn.Linear(3 * head, head)
        self.value_of_three = nn.Linear(3 * head, head)
        self.output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.hidden_norm = nn.LayerNorm(width)

    def forward(self, nodes, edges, centers, neighbors, counts):
        edges = self.edge(edges).unflatten(1, self.heads)

        def join(layer, rows):
            # linear in each of the three, so that nodes pass it before they are copied to edges
            rows = rows.unflatten(1, self.heads)
            of_center, of_neighbor, of_edge = layer.weight.chunk(3, dim=1)
            centers_part = linear(rows, of_center, layer.bias).index_select(0, centers)
            neighbors_part = linear(rows, of_neighbor).index_select(0, neighbors)
            return centers_part + neighbors_part + linear(edges, of_edge)

        keys = join(self.key_of_three, self.key(nodes))
        queries = self.query(nodes).unflatten(1, self.heads).index_select(0, centers)
        scores = (queries * keys).sum(dim=2) / self.heads[1] ** 0.5
        weights = softmax_by(scores.float() + counts.log()[:, None], centers, len(nodes))
        values = join(self.value_of_three, self.value(nodes)) * weights[:, :, None]
        seen = sum_by(values.flatten(1), centers, len(nodes))
        nodes = nodes + self.attention_norm(self.output(seen))
        hidden = self.narrow(nn.functional.gelu(self.hidden(nodes)))
        return softplus(nodes + self.hidden_norm(hidden))


class WholeCrystalAttention(nn.Module):
    """Transformer layer in which each atom attends to all atoms of its crystal (GwT)."""

    def __init__(self, width, bond_width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.bonds = nn.Linear(bond_width, width)
        self.parts = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        self.hidden_norm = nn.LayerNorm(width)

    def forward(self, atoms, bonds, graph):
        counts, centers, sizes = graph.bond_counts, graph.centers, graph.sizes
        atoms = atoms + weighted_mean_by(self.bonds(bonds), counts, centers, len(atoms))
        crystals = torch.repeat_interleave(sizes)
        places = torch.arange(len(atoms), device=atoms.device)
        places = places - (sizes.cumsum(0) - sizes)[crystals]
        longest = int(sizes.max())
        parts = self.parts(atoms)
        padded = parts.new_zeros(len(sizes), longest, parts.shape[1])
        padded = padded.index_put((crystals, places), parts)
        queries, keys, values = (
            part.unflatten(2, (self.n_heads, -1)).transpose(1, 2) for part in padded.chunk(3, dim=2)
        )
        weights = parts.new_full((len(sizes), longest), -torch.inf)
        weights = weights.index_put((crystals, places), graph.multiplicities.log().to(parts.dtype))
        seen = scaled_dot_product_attention(
            queries, keys, values, attn_mask=weights[:, None, None, :]
        )
        seen = seen.transpose(1, 2).flatten(2)[crystals, places]
        atoms = atoms + self.attention_norm(self.output(seen))
        hidden = self.narrow(nn.functional.gelu(self.hidden(atoms)))
        return softplus(atoms + self.hidden_norm(hidden))


class CrysToGraphNetwork(nn.Module):
    """Convolutions on line graph and graph, transformer layers, mean over the atoms."""

    def __init__(self, n_outputs, width, bond_width, n_heads, n_convolutions, n_layers):
        super().__init__()
        table = torch.tensor(element_features(), dtype=torch.float32)
        self.register_buffer("elements", table, persistent=False)
        self.embed = nn.Linear(table.shape[1], width)
        self.distances = GaussianExpansion(_LARGEST_DISTANCE, _N_DISTANCES, _DISTANCE_WIDTH)
        self.cosines = GaussianExpansion(1.0, _N_COSINES, _COSINE_WIDTH, smallest=-1.0)
        self.embed_bonds = nn.Linear(_N_DISTANCES, bond_width)
        self.embed_angles = nn.Linear(_N_COSINES, _N_COSINES)
        self.embed_returns = nn.Linear(WALK_STEPS, width)
        self.on_bonds = nn.ModuleList(
            GraphAttention(bond_width, _N_COSINES, n_heads) for _ in range(n_convolutions)
        )
        self.on_atoms = nn.ModuleList(
            GraphAttention(width, bond_width, n_heads) for _ in range(n_convolutions)
        )
        self.atom_norm, self.bond_norm = nn.LayerNorm(width), nn.LayerNorm(bond_width)
        self.layers = nn.ModuleList(
            WholeCrystalAttention(width, bond_width, n_heads) for _ in range(n_layers)
        )
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.Softplus(), nn.Linear(width, n_outputs)
        )

    def forward(self, **batch):
        graph = SimpleNamespace(**batch)
        species = graph.occupancies[:, None] * self.embed(self.elements[graph.elements])
        atoms = sum_by(species, graph.sites, len(graph.multiplicities))
        bonds = self.embed_bonds(self.distances(graph.distances))
        angles = self.embed_angles(self.cosines(graph.cosines))
        on_atoms = (graph.centers, graph.neighbors, graph.bond_counts)
        on_bonds = (graph.first, graph.second, graph.angle_counts)
        for convolve_bonds, convolve_atoms in zip(self.on_bonds, self.on_atoms, strict=True):
            bonds = convolve_bonds(bonds, angles, *on_bonds)
            atoms = convolve_atoms(atoms, bonds, *on_atoms)
        atoms, bonds = self.atom_norm(atoms), self.bond_norm(bonds)
        atoms = atoms + self.embed_returns(graph.returns)
        for layer in self.layers:
            atoms = layer(atoms, bonds, graph)
        return self.head(softplus(mean_over_sites(atoms, graph)))
