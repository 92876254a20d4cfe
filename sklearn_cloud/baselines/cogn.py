"""CoGNRegressor: a graph network on the asymmetric unit, with deep messages."""

from numbers import Integral, Real
from types import SimpleNamespace

from torch import nn

from .._compat import Interval, StrOptions
from ..graphs.asymmetric_graphs import CONNECTIVITIES, build_asymmetric_graph
from ..graphs.asymmetric_unit_encoder import AsymmetricUnitEncoder
from ..graphs.merged_graphs import mean_over_sites, merge_graph
from ..training.net_regressor import NetRegressor
from .merged_graph_network import MergedGraphNetwork


class AsymmetricUnitNetwork(MergedGraphNetwork):
    """Input of the networks on asymmetric units."""

    connectivity: str = "nearest"
    max_neighbors: int = 24
    n_blocks: int = 5
    message_layers: int = 5
    symprec: float = 0.01

    _parameter_constraints = {
        "connectivity": [StrOptions(set(CONNECTIVITIES))],
        "max_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "message_layers": [Interval(Integral, 1, None, closed="left")],
        "symprec": [Interval(Real, 0, None, closed="neither")],
    }

    def _sizes(self):
        """Arguments of the networks on asymmetric units."""
        return {
            "width": self.width,
            "n_blocks": self.n_blocks,
            "message_layers": self.message_layers,
            "use_areas": self.connectivity == "voronoi",
        }

    def _build_graph(self, crystal):
        return build_asymmetric_graph(
            crystal, self.connectivity, self.cutoff, self.max_neighbors, self.symprec
        )

    def _read_item(self, crystal):
        graph, multiplicities, areas = self._build_graph(crystal)
        return merge_graph(graph, None, multiplicities, areas)


class BaseCoGN(AsymmetricUnitNetwork):
    """Input and network of `CoGNRegressor`."""

    learning_rate = 2e-3

    def _network(self):
        return CoGNetwork, self._sizes()


class CoGNRegressor(BaseCoGN, NetRegressor):
    """Predict numbers from crystal structures with a connectivity-optimised graph network.

    Its graph is that of the asymmetric unit: one node for each orbit of the space group, since
    sites that are equivalent have equal surroundings. That makes the graph of a symmetric crystal
    several times smaller. Each block sends messages along the edges through a deep perceptron
    that sees both nodes and the distance, and adds what comes of their sum to the node. The
    prediction is linear in the mean over the nodes, each counted as often as its orbit has sites.

    Parameters
    ----------
    connectivity : {"nearest", "radius", "voronoi"}, default="nearest"
        What makes two sites neighbours: one is among the `max_neighbors` nearest of the other, or
        within `cutoff`, or their Voronoi cells share a face. With "voronoi" the area of the face
        is an input next to the distance.
    max_neighbors : int, default=24
        Nearest neighbours of a site for "nearest", and all at the same distance as the last.
    n_blocks : int, default=5
        Number of blocks.
    message_layers : int, default=5
        Layers of the perceptron that computes a message.
    symprec : float, default=0.01
        Distance within which sites count as equivalent, in angstrom.
    cutoff : float, default=8.0
        Largest distance of neighbours in angstrom; without effect for "voronoi".
    width : int, default=64
        Length of the vectors of nodes and messages; 128 in the paper.
    {other parameters}

    Attributes
    ----------
    {other attributes}

    See Also
    --------
    CoNGNRegressor : The same with angles between neighbours.
    CGCNNRegressor : One node for each site, shallow messages.

    Notes
    -----
    From the description in [1]_: 24 nearest neighbours, distances over 32 Gaussians up to 8
    angstrom, five blocks with messages of five layers, a single layer for the update of a node,
    SiLU everywhere, sums over the neighbours and the mean over the sites of the cell. Differences:
    half the width by default; a node starts from its element's properties as standardised numbers
    and places in the periodic table, averaged by occupancy where elements share a site; no
    neighbour is further than `cutoff`; where the last neighbour has others at its distance, all
    are edges. Voronoi faces below 0.1 square angstrom are left out, because noise of the
    coordinates makes and unmakes them. The Gaussians are half as wide as in the authors' code,
    which made no difference on held-out rows. Training is that of `CloudRegressor`, with far fewer
    epochs than the 800 of the paper and, for that reason, four times its learning rate.

    Edges that are equivalent are computed once and counted.

    A site without neighbours has no edges and is predicted from its element. On CUDA, sums over
    edges are not reproducible to the last digit.

    References
    ----------
    .. [1] R. Ruff, P. Reiser, J. Stühmer, P. Friederich, "Connectivity optimized nested line graph
       networks for crystal structures", Digital Discovery 3, 594 (2024).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import CoGNRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = CoGNRegressor(max_epochs=2, validation_fraction=0, random_state=0)
    >>> model.fit(cells, [1.0, 2.0]).predict(cells).shape
    (2,)
    """


class CoGNetwork(AsymmetricUnitEncoder):
    """Embedding, blocks, mean over the sites of the cell, a linear layer."""

    def __init__(self, n_outputs, width, n_blocks, message_layers, use_areas):
        super().__init__(width, n_blocks, message_layers, use_areas)
        self.output = nn.Linear(width, n_outputs)

    def forward(self, **batch):
        graph = SimpleNamespace(**batch)
        nodes = self.update(*self.embedding(graph), graph)
        return self.output(mean_over_sites(nodes, graph))
