"""Similarity of crystals to the training crystals."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from ..estimators.embedder import CloudEmbedder


class Applicability:
    """Distance to the nearest training crystals, in the space of the encoder's vectors.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest training crystals over which the distance is averaged.

    Attributes
    ----------
    reference : ndarray of shape (n_training_rows,)
        Distances of the training crystals to each other, sorted.
    """

    def __init__(self, n_neighbors=5):
        self.n_neighbors = n_neighbors

    def fit(self, strings):
        """Store the vectors of the training crystals.

        Parameters
        ----------
        strings : ndarray of shape (n_rows,)
            Symmetry strings.
        """
        self.embedder = CloudEmbedder(pooling="mean").fit(strings)
        vectors = self.embedder.transform(np.unique(strings.astype(str)))
        self.scale = vectors.std(axis=0)
        self.scale = np.where(self.scale > 0, self.scale, 1.0)
        self.vectors = (vectors / self.scale).astype(np.float32)
        # a training crystal is its own nearest neighbour
        self.reference = np.sort(self._distances(self.vectors, skip=1))
        return self

    def score(self, strings):
        """Return the share of training crystals that are further from the others than each crystal.

        Parameters
        ----------
        strings : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
            From 1 (among the training crystals) to 0 (further away than any of them).
        """
        vectors = self.embedder.transform(strings) / self.scale
        distances = self._distances(vectors.astype(np.float32))
        below = np.searchsorted(self.reference, distances * (1 - 1e-6))
        return 1 - below / len(self.reference)

    def _distances(self, vectors, skip=0):
        """Return the mean distance to the nearest training crystals."""
        wanted = min(self.n_neighbors + skip, len(self.vectors))
        search = NearestNeighbors(n_neighbors=wanted).fit(self.vectors)
        distances, _ = search.kneighbors(vectors)
        return distances[:, skip:].mean(axis=1) if wanted > skip else distances.mean(axis=1)
