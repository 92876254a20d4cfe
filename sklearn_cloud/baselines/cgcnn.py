"""CGCNNRegressor: gated convolutions on the graph of neighbouring atoms."""

from numbers import Integral, Real

import torch
from torch import nn
from torch.nn.functional import softplus

from .._compat import Interval
from ..features.elements import element_features
from ..graphs.crystal_graphs import (
    GaussianExpansion,
    build_graph,
    collate_graphs,
    displace,
    mean_by,
    sum_by,
)
from ..training.crystal_network import CrystalNetwork
from ..training.net_regressor import NetRegressor


class BaseCGCNN(CrystalNetwork):
    """Input and network of `CGCNNRegressor`."""

    cutoff: float = 8.0
    max_neighbors: int = 12
    atom_width: int = 64
    n_convolutions: int = 3
    head_width: int = 128
    head_layers: int = 1
    perturbation: float = 0.0
    learning_rate = 3e-3

    _parameter_constraints = {
        "cutoff": [Interval(Real, 0, None, closed="neither")],
        "max_neighbors": [Interval(Integral, 1, None, closed="left")],
        "atom_width": [Interval(Integral, 1, None, closed="left")],
        "n_convolutions": [Interval(Integral, 1, None, closed="left")],
        "head_width": [Interval(Integral, 1, None, closed="left")],
        "head_layers": [Interval(Integral, 0, None, closed="left")],
        "perturbation": [Interval(Real, 0, None, closed="left")],
    }

    def _network(self):
        return CrystalGraphNetwork, {
            "cutoff": float(self.cutoff),
            "atom_width": self.atom_width,
            "n_convolutions": self.n_convolutions,
            "head_width": self.head_width,
            "head_layers": self.head_layers,
        }

    def _read_item(self, crystal):
        return build_graph(crystal, self.cutoff, self.max_neighbors)

    def _size(self, inputs):
        return inputs.size

    def _collate(self, batch):
        return collate_graphs(batch)

    def _augment(self, inputs, rng):
        return displace(inputs, self.perturbation, rng) if self.perturbation else inputs


class CGCNNRegressor(BaseCGCNN, NetRegressor):
    """Predict numbers from crystal structures with a crystal graph convolutional network.

    Atoms are the nodes of a graph, neighbours within `cutoff` its edges. In each convolution an
    atom adds the messages of its neighbours, every one through a gate that depends on both atoms
    and on their distance (Eq. 5 of the paper). The mean over the atoms goes through a small
    network with softplus. With `perturbation` above 0 this is CGCNN+P: the training crystals are
    seen with their atoms displaced at random, anew in every epoch.

    Parameters
    ----------
    cutoff : float, default=8.0
        Largest distance of neighbours, in angstrom.
    max_neighbors : int, default=12
        Nearest neighbours of an atom that become edges, and all at the same distance as the last.
    atom_width : int, default=64
        Length of an atom's vector.
    n_convolutions : int, default=3
        Number of convolutions.
    head_width : int, default=128
        Width of the hidden layers after the mean over the atoms.
    head_layers : int, default=1
        Number of these layers.
    perturbation : float, default=0.0
        Standard deviation of the displacement of training atoms along each axis, in angstrom.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    See Also
    --------
    MEGNetRegressor : Bonds and the whole crystal have vectors too.

    Notes
    -----
    From the description in [1]_, with these differences. An atom starts from its element's
    properties as standardised numbers and places in the periodic table, instead of the paper's
    categories of them; elements that share a site are averaged by occupancy. Where the twelfth
    neighbour has others at its distance, all are edges, so that neither the order of the sites
    nor the choice of the cell matters. The summed messages pass a layer normalisation. Training is
    that of `CloudRegressor`: AdamW on the mean absolute error, learning rate along a cosine.

    The displacements of CGCNN+P follow the idea of [2]_, not its numbers: each coordinate moves by
    a normal deviate, and the edges stay those of the undisturbed crystal, with new lengths.

    An atom without neighbours has no edges and is predicted from its element. The layers are a
    few lines of PyTorch, so that no further package is needed. On CUDA, sums over edges are not
    reproducible to the last digit.

    References
    ----------
    .. [1] T. Xie, J. C. Grossman, "Crystal Graph Convolutional Neural Networks for an Accurate
       and Interpretable Prediction of Material Properties", Phys. Rev. Lett. 120, 145301 (2018).
    .. [2] J. B. Gibson, A. C. Hire, R. G. Hennig, "Data-augmentation for graph neural network
       learning of the relaxed energies of unrelaxed structures", npj Comput. Mater. 8, 211 (2022).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import CGCNNRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = CGCNNRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class GatedConvolution(nn.Module):
    """Each atom takes in its neighbours, each through a gate of its own."""

    def __init__(self, width, edge_width):
        super().__init__()
        self.gate_and_message = nn.Linear(2 * width + edge_width, 2 * width)
        self.norm = nn.LayerNorm(width)

    def forward(self, atoms, edges, centers, neighbors):
        pairs = torch.cat([atoms[centers], atoms[neighbors], edges], dim=1)
        gate, message = self.gate_and_message(pairs).chunk(2, dim=1)
        received = sum_by(torch.sigmoid(gate) * softplus(message), centers, len(atoms))
        return atoms + self.norm(received)


class CrystalGraphNetwork(nn.Module):
    """Atoms from their elements, convolutions, mean over the atoms, a softplus network."""

    def __init__(self, n_outputs, cutoff, atom_width, n_convolutions, head_width, head_layers):
        super().__init__()
        table = torch.tensor(element_features(), dtype=torch.float32)
        self.register_buffer("elements", table, persistent=False)
        self.embed = nn.Linear(table.shape[1], atom_width)
        n_centers = round(cutoff / 0.2) + 1
        self.expand = GaussianExpansion(cutoff, n_centers, width=0.2)
        self.convolutions = nn.ModuleList(
            GatedConvolution(atom_width, n_centers) for _ in range(n_convolutions)
        )
        widths = [atom_width] + [head_width] * head_layers
        self.head = nn.ModuleList(nn.Linear(m, n) for m, n in zip(widths, widths[1:], strict=False))
        self.output = nn.Linear(widths[-1], n_outputs)

    def forward(self, elements, occupancies, sites, sizes, centers, neighbors, distances):
        species = occupancies[:, None] * self.embed(self.elements[elements])
        crystals = torch.repeat_interleave(sizes)
        atoms = sum_by(species, sites, len(crystals))
        edges = self.expand(distances)
        for convolution in self.convolutions:
            atoms = convolution(atoms, edges, centers, neighbors)
        hidden = softplus(mean_by(atoms, crystals, len(sizes)))
        for layer in self.head:
            hidden = softplus(layer(hidden))
        return self.output(hidden)
