"""Similarity of crystals to the training crystals."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from ..crystals.crystal import ELEMENT_RANK
from ..estimators.embedder import CloudEmbedder


class Applicability(BaseEstimator):
    """Distance to the nearest training crystals, in the space of the encoder's vectors.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest training crystals over which the distance is averaged.

    Attributes
    ----------
    elements_ : list of str
        Elements of the training crystals.
    vectors_ : ndarray of shape (n_strings, width), float32
        Of the distinct training strings, in units of `scale_`.
    reference_ : ndarray of shape (n_strings,)
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
        strings = np.unique(strings.astype(str)).astype(object)
        self.elements_ = sorted(set().union(*map(_elements, strings)))
        self.embedder_ = CloudEmbedder(pooling="mean").fit(strings)
        vectors = self.embedder_.transform(strings)
        scale = vectors.std(axis=0)
        self.scale_ = np.where(scale > 0, scale, 1.0)
        self.vectors_ = (vectors / self.scale_).astype(np.float32)
        # a training crystal is its own nearest neighbour
        self.reference_ = np.sort(self._distances(self.vectors_, skip=1))
        return self

    def score(self, strings):
        """Return the share of training crystals that are further from the others than each crystal.

        Parameters
        ----------
        strings : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_rows,)
            From 1 (among the training crystals) to 0 (further away than any of them, or with an
            element that none of them has).
        """
        vectors = self.embedder_.transform(strings) / self.scale_
        distances = self._distances(vectors.astype(np.float32))
        below = np.searchsorted(self.reference_, distances * (1 - 1e-6))
        known = [_elements(string) <= set(self.elements_) for string in strings]
        return np.where(known, 1 - below / len(self.reference_), 0.0)

    def _distances(self, vectors, skip=0):
        """Return the mean distance to the nearest training crystals."""
        wanted = min(self.n_neighbors + skip, len(self.vectors_))
        search = NearestNeighbors(n_neighbors=wanted).fit(self.vectors_)
        distances, _ = search.kneighbors(vectors)
        return distances[:, skip:].mean(axis=1) if wanted > skip else distances.mean(axis=1)


def _elements(string):
    """Elements in the composition of a symmetry string."""
    return {word for word in string.rsplit(" | ", 1)[-1].split() if word in ELEMENT_RANK}
