"""nearest_crystals: the training crystals that are most similar to a crystal."""

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from ..crystals.crystal import write_formula
from ..crystals.items import as_items
from ..crystals.rows import read_rows
from ..estimators.embedder import CloudEmbedder
from ..symmetry.transformer import SymmetryStringTransformer
from ..training.checks import check_same_length


def nearest_crystals(X, training, y=None, *, ids=None, n=3, n_jobs=None):
    """Return the training crystals that are most similar to each crystal, with their values.

    Crystals are compared by the vectors of the encoder "mini" for their symmetry strings, each
    component in units of its standard deviation over the training crystals.

    Parameters
    ----------
    X : array-like of shape (n_samples,)
        Crystals.
    training : array-like of shape (n_training,)
        The crystals on which a model was fitted.
    y : array-like of shape (n_training,), default=None
        Their values.
    ids : sequence of shape (n_training,), default=None
        Their names; None means their row numbers.
    n : int, default=3
        Number of training crystals for each crystal.
    n_jobs : int, default=None
        Number of joblib workers that read the crystals.

    Returns
    -------
    pandas.DataFrame
        `n` rows for each crystal, the nearest first, with the columns row and formula (of the
        crystal), nearest (id of the training crystal), nearest_formula, distance, and value with
        `y`. A distance of 0 is the same symmetry string.

    Raises
    ------
    TypeError, CrystalError
        If a row is not a crystal.
    ValueError
        If `n` is not positive, or `y` or `ids` have another length than `training`.

    Examples
    --------
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.explanations import nearest_crystals
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> found = nearest_crystals(crystals[40:41], crystals[:40], band_gaps[:40], n=2)
    >>> found.columns.tolist()
    ['row', 'formula', 'nearest', 'nearest_formula', 'distance', 'value']
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a positive integer, got {n!r}.")
    wanted, known = (read_rows(as_items(rows), n_jobs=n_jobs) for rows in (X, training))
    for name, values in (("y", y), ("ids", ids)):
        if values is not None and len(values) != len(known):
            check_same_length(values, len(known), name)
    ids = np.arange(len(known)) if ids is None else np.asarray(ids)
    distances, places = _search(wanted, known, min(n, len(known)))
    table = pd.DataFrame(
        {
            "row": np.repeat(np.arange(len(wanted)), distances.shape[1]),
            "formula": np.repeat(_formulas(wanted), distances.shape[1]),
            "nearest": ids[places.ravel()],
            "nearest_formula": _formulas(known)[places.ravel()],
            "distance": distances.ravel(),
        }
    )
    return table if y is None else table.assign(value=np.asarray(y)[places.ravel()])


def _search(wanted, known, n):
    strings = SymmetryStringTransformer()
    embedder = CloudEmbedder("mini", pooling="mean")
    vectors = embedder.fit_transform(strings.fit_transform(known))
    scale = vectors.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    search = NearestNeighbors(n_neighbors=n).fit(vectors / scale)
    return search.kneighbors(embedder.transform(strings.transform(wanted)) / scale)


def _formulas(crystals):
    return np.array([write_formula(crystal.composition) for crystal in crystals], dtype=object)
