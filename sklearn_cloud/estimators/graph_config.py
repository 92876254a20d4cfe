"""Shape of a graph network."""

from dataclasses import dataclass, fields
from numbers import Integral, Real


@dataclass(frozen=True)
class GraphConfig:
    """Shape of a graph network, and how it reads a crystal.

    Parameters
    ----------
    width : int, default=64
        Length of the vectors of nodes and messages.
    n_blocks : int, default=5
        Number of blocks.
    message_layers : int, default=5
        Layers of the perceptron that computes a message.
    max_neighbors : int, default=12
        Nearest neighbours of a site, and all at the same distance as the last.
    cutoff : float, default=8.0
        Largest distance of neighbours, in angstrom.
    symprec : float, default=0.01
        Distance within which sites count as equivalent, in angstrom.

    Raises
    ------
    ValueError
        If a number is not positive, or not whole where it is a count.
    """

    width: int = 64
    n_blocks: int = 5
    message_layers: int = 5
    max_neighbors: int = 12
    cutoff: float = 8.0
    symprec: float = 0.01

    def __post_init__(self):
        for one in fields(self):
            value = getattr(self, one.name)
            kind = Integral if one.type is int else Real
            if isinstance(value, bool) or not isinstance(value, kind) or not value > 0:
                whole = " whole" if kind is Integral else ""
                raise ValueError(f"{one.name} must be a positive{whole} number, got {value!r}.")

    @property
    def sizes(self):
        """Arguments of the module."""
        return {name: getattr(self, name) for name in ("width", "n_blocks", "message_layers")}
