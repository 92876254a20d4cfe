"""A crystal of springs, whose phonons and elastic constants are known."""

import numpy as np

from sklearn_cloud.features.elements import atomic_numbers
from sklearn_cloud.features.force_fields import neighbour_edges
from sklearn_cloud.features.frames import Response


class Springs:
    """A spring between nearest neighbours; stands in for a potential.

    Parameters
    ----------
    device : str
        Not looked at.
    """

    package, extra, tag = "springs>=1", "chgnet", "springs-1"
    stiffness = 2.0  # eV per square angstrom
    length = 2.0  # angstrom
    cutoff = 2.2  # angstrom

    def __init__(self, device="cpu"):
        self.elements = {e: n for e, n in atomic_numbers().items() if n <= 94}
        self.batches = []

    def compute(self, frames):
        self.batches.append(len(frames))
        return [self._compute(frame) for frame in frames]

    def _compute(self, frame):
        (first, _), vectors = neighbour_edges(frame, self.cutoff)
        lengths = np.linalg.norm(vectors, axis=1)
        pulls = self.stiffness * (lengths - self.length)
        pull_vectors = vectors * (pulls / lengths)[:, None]
        forces = np.zeros((len(frame.numbers), 3))
        np.add.at(forces, first, pull_vectors)
        volume = abs(np.linalg.det(frame.lattice))
        energy = (self.stiffness * (lengths - self.length) ** 2).sum() / 4  # each spring twice
        return Response(energy, forces, vectors.T @ pull_vectors / (2 * volume))
