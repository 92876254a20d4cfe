"""Base of the estimators with a pre-trained graph network, and its module."""

from dataclasses import asdict, field
from numbers import Integral
from os import PathLike
from types import SimpleNamespace

from torch import nn

from .._compat import Interval, StrOptions
from ..graphs.asymmetric_unit_encoder import AsymmetricUnitEncoder
from ..graphs.graph_checkpoints import load_graph_network
from ..graphs.graph_config import GraphConfig
from ..graphs.graph_reading import read_graph
from ..graphs.merged_graphs import collate_merged, mean_over_sites
from ..training.crystal_network import CrystalNetwork
from .cloud import affordable_epochs

_MOST_EPOCHS, _STEPS = 100, 16_000


class GraphModule(nn.Module):
    """Encoder of graphs, mean over the sites of the cell, a linear layer.

    Parameters
    ----------
    n_outputs : int
    width, n_blocks, message_layers : int
        As in `GraphConfig`.
    """

    def __init__(self, n_outputs, width, n_blocks, message_layers):
        super().__init__()
        self.encoder = AsymmetricUnitEncoder(width, n_blocks, message_layers)
        self.output = nn.Linear(width, n_outputs)

    def forward(self, **batch):
        """Return outputs of shape (n_crystals, n_outputs) for the tensors of `collate_merged`."""
        graph = SimpleNamespace(**batch)
        nodes = self.encoder.update(*self.encoder.embedding(graph), graph)
        return self.output(mean_over_sites(nodes, graph))


class GraphEstimator(CrystalNetwork):
    """Base of the estimators with a pre-trained graph network."""

    network: str | PathLike | GraphConfig | None = field(default="mini", kw_only=False)
    max_epochs = "auto"
    learning_rate = 2e-3
    validation_fraction = 0.0

    _parameter_constraints = {
        "network": "no_validation",
        "max_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    }

    def _n_epochs(self, n_rows):
        if self.max_epochs == "auto":
            return affordable_epochs(n_rows, self.batch_size, _MOST_EPOCHS, _STEPS)
        return self.max_epochs

    def _load(self):
        checkpoint = load_graph_network(self.network)
        self.graph_config_ = asdict(checkpoint.config)
        return checkpoint.weights

    def _read_item(self, crystal):
        return read_graph(GraphConfig(**self.graph_config_), crystal)

    def _size(self, inputs):
        return inputs.size

    def _collate(self, batch):
        return collate_merged(batch)

    def _network(self):
        return GraphModule, GraphConfig(**self.graph_config_).sizes
