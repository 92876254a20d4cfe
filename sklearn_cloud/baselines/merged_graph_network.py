"""Base class of the networks on merged graphs: their common parameters and their batches."""

from numbers import Integral, Real

from .._compat import Interval
from ..graphs.merged_graphs import collate_merged
from ..training.crystal_network import CrystalNetwork


class MergedGraphNetwork(CrystalNetwork):
    """Input of the networks that compute equivalent sites, bonds and angles once.

    A subclass reads a crystal to a `MergedGraph`; the network's ``forward`` gets the fields of
    `collate_merged` by name.
    """

    cutoff: float = 8.0
    width: int = 64

    _parameter_constraints = {
        "cutoff": [Interval(Real, 0, None, closed="neither")],
        "width": [Interval(Integral, 1, None, closed="left")],
    }

    def _size(self, inputs):
        return inputs.size

    def _collate(self, batch):
        return collate_merged(batch)
