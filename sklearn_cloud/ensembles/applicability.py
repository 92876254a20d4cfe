"""Similarity of crystals to the training crystals."""

from functools import lru_cache

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors

from ..crystals.crystal import ELEMENT_RANK
from ..encoder.sources import BUNDLED
from ..estimators.embedder import CloudEmbedder

_ENCODER = "mini"
_QUANTILES = 1000  # of the distances of the training crystals


class Applicability(BaseEstimator):
    """Distance to the nearest training crystals, in the space of the encoder's vectors.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of nearest training crystals over which the distance is averaged.
    n_components : int, default=32
        Number of principal components of the vectors.
    max_crystals : int, default=2000
        Of larger training sets, that many crystals, drawn at random, represent the others.

    Attributes
    ----------
    elements_ : list of str
        Elements of the training crystals.
    vectors_ : ndarray of shape (n_crystals, n_components), float32
        Of distinct training strings.
    reference_ : ndarray of shape (n_quantiles,)
        Quantiles of the distances of the training crystals to each other.
    """

    def __init__(self, n_neighbors=5, n_components=32, max_crystals=2000):
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.max_crystals = max_crystals

    def fit(self, strings):
        """Store vectors of the training crystals.

        Parameters
        ----------
        strings : ndarray of shape (n_rows,)
            Symmetry strings.
        """
        strings = np.unique(strings.astype(str)).astype(object)
        self.elements_ = sorted(set().union(*map(elements_of, strings)))
        self.encoder_sha256_ = BUNDLED[_ENCODER]
        vectors = embed(strings)
        self.mean_, scale = vectors.mean(axis=0), vectors.std(axis=0)
        scaled = (vectors - self.mean_) / np.where(scale > 0, scale, 1.0)
        _, _, directions = np.linalg.svd(scaled, full_matrices=False)
        directions = directions[: self.n_components].T / np.where(scale > 0, scale, 1.0)[:, None]
        self.directions_ = directions.astype(np.float32)
        # float16 can express them, so that they take little space in a model folder
        vectors = self._project(vectors).astype(np.float16).astype(np.float32)
        order = np.random.RandomState(0).permutation(len(vectors))
        stored, others = np.split(order, [self.max_crystals])
        self.vectors_ = vectors[stored]
        # a stored crystal is its own nearest neighbour
        distances = [self._distances(vectors[stored], skip=1), self._distances(vectors[others])]
        levels = np.linspace(0, 1, min(_QUANTILES, len(strings)))
        self.reference_ = np.quantile(np.concatenate(distances), levels)
        return self

    def score(self, strings, vectors=None):
        """Return the share of training crystals that are further from the others than each crystal.

        Parameters
        ----------
        strings : ndarray of shape (n_rows,)
        vectors : ndarray of shape (n_rows, width), default=None
            What `embed` returns for the strings; None computes it.

        Returns
        -------
        ndarray of shape (n_rows,)
            From 1 (among the training crystals) to 0 (further away than any of them, or with an
            element that none of them has).

        Raises
        ------
        ValueError
            If the encoder of this version is not the one that it was fitted with.
        """
        if self.encoder_sha256_ != BUNDLED[_ENCODER]:
            raise ValueError(
                f"the encoder {_ENCODER!r} has changed since the model was fitted: fit it again."
            )
        vectors = embed(strings) if vectors is None else vectors
        distances = self._distances(self._project(vectors))
        below = np.searchsorted(self.reference_, distances * (1 - 1e-6))
        known = [elements_of(string) <= set(self.elements_) for string in strings]
        return np.where(known, 1 - below / len(self.reference_), 0.0)

    def _project(self, vectors):
        return (vectors - self.mean_) @ self.directions_

    def _distances(self, vectors, skip=0):
        """Return the mean distance to the nearest stored crystals."""
        if not len(vectors):
            return np.zeros(0)
        wanted = min(self.n_neighbors + skip, len(self.vectors_))
        search = NearestNeighbors(n_neighbors=wanted).fit(self.vectors_)
        distances, _ = search.kneighbors(vectors)
        return distances[:, skip:].mean(axis=1) if wanted > skip else distances.mean(axis=1)


@lru_cache(maxsize=1)
def load_embedder():
    """Return the fitted `CloudEmbedder`; it is loaded once."""
    return CloudEmbedder(_ENCODER, pooling="mean", device="cpu").fit(["H 1.0"])


def embed(strings):
    """Return the encoder's vectors of symmetry strings, shape (n_rows, width)."""
    return np.asarray(load_embedder().transform(strings))


def elements_of(string):
    """Return the elements in the composition of a symmetry string."""
    return {word for word in string.rsplit(" | ", 1)[-1].split() if word in ELEMENT_RANK}
