"""Shape of a graph network."""

from dataclasses import dataclass, fields
from numbers import Integral, Real

#: Above these, graphs take far more memory and time, and a network learns no more from them.
_LARGEST = {"max_neighbors": 200, "cutoff": 20.0, "symprec": 1.0}


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
        Nearest neighbours of a site, and all at the same distance as the last; at most 200.
    cutoff : float, default=8.0
        Largest distance of neighbours, in angstrom; at most 20. The network cannot tell distances
        far above 8 apart.
    symprec : float, default=0.01
        Distance within which sites count as equivalent, in angstrom; at most 1.

    Raises
    ------
    ValueError
        If a number is not positive, too large, or not whole where it is a count.

    Examples
    --------
    >>> from sklearn_cloud.pretraining import GraphConfig
    >>> GraphConfig(width=32).sizes
    {'width': 32, 'n_blocks': 5, 'message_layers': 5}
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
            if value > _LARGEST.get(one.name, value):
                raise ValueError(
                    f"{one.name} must be at most {_LARGEST[one.name]:g}, got {value!r}."
                )
            # JSON does not support NumPy's numbers
            object.__setattr__(self, one.name, one.type(value))

    @property
    def sizes(self):
        """Arguments of the module."""
        return {name: getattr(self, name) for name in ("width", "n_blocks", "message_layers")}
