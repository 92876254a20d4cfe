"""Magpie: statistics of the properties of the elements."""

import csv
from functools import lru_cache
from importlib import resources

import numpy as np

from ..crystals.crystal import ELEMENT_RANK, ELEMENTS
from .base import CrystalFeatures, fractions_of

_STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")


@lru_cache(maxsize=1)
def _read_table():
    """Return the names of the properties, and their values by element."""
    path = resources.files("sklearn_cloud").joinpath("data/magpie_elements.csv")
    header, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return header[1:], {element: [float(value) for value in values] for element, *values in rows}


def magpie_properties():
    """Return the names of the 22 properties."""
    return list(_read_table()[0])


@lru_cache(maxsize=1)
def magpie_table():
    """Return the properties of the elements.

    Returns
    -------
    ndarray of shape (118, 22)
        Rows in the order of ``ELEMENTS``, columns in that of matminer's preset. An element
        without a value has the mean of the others, as in matminer.
    """
    _, values = _read_table()
    return np.array([values[element] for element in ELEMENTS])


def magpie_statistics(fractions):
    """Return statistics of the properties of the elements in a composition.

    Parameters
    ----------
    fractions : sequence of (str, float)
        Elements and atomic fractions.

    Returns
    -------
    ndarray of shape (132,)
        Minimum, maximum, range, mean, average deviation and mode of each of 22 properties.
    """
    values = magpie_table()[[ELEMENT_RANK[element] for element, _ in fractions]]
    weights = np.array([fraction for _, fraction in fractions])
    lowest, highest = values.min(axis=0), values.max(axis=0)
    mean = weights @ values
    deviation = weights @ np.abs(values - mean)
    # of equally frequent elements, the lowest value counts
    mode = values[np.isclose(weights, weights.max())].min(axis=0)
    return np.stack([lowest, highest, highest - lowest, mean, deviation, mode], axis=1).ravel()


class MagpieFeatures(CrystalFeatures):
    """Transform crystals to Magpie statistics of their composition.

    For each of 22 properties of the elements (number, weight, electronegativity, radius, valence
    electrons, melting point of the element, ...): minimum, maximum, range, mean, average
    deviation and mode over the atoms. The 132 features do not depend on the structure.

    Parameters
    ----------
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that are not crystals or have no features. `"warn"` makes their
        features NaN and lists the rows in one `UserWarning`.
    n_jobs : int, default=None
        Number of joblib workers; None means 1 unless in a `joblib.parallel_config` context. One is
        usually enough: 10,000 compositions take about a second.
    verbose : int, default=0
        If not 0, show a progress bar.

    Notes
    -----
    The properties are those of matminer's "magpie" preset, and the statistics are equal to those of
    matminer, but computed once for each distinct composition. Partial occupancies count in the
    composition. Missing values of elements are replaced by the mean of the others.

    References
    ----------
    .. [1] L. Ward, A. Agrawal, A. Choudhary, C. Wolverton, "A general-purpose machine learning
       framework for predicting properties of inorganic materials", npj Computational Materials
       2, 16028 (2016). doi:10.1038/npjcompumats.2016.28

    Examples
    --------
    >>> from sklearn_cloud.features import MagpieFeatures
    >>> features = MagpieFeatures()
    >>> table = features.fit_transform(["NaCl", "SiO2", "Na2Cl2"])
    >>> table.shape, bool((table[0] == table[2]).all())
    ((3, 132), True)
    >>> features.get_feature_names_out()[45]
    'MagpieData mean Electronegativity'
    """

    _takes_formulas = True

    def _names(self):
        return [f"MagpieData {s} {name}" for name in magpie_properties() for s in _STATISTICS]

    def _key(self, crystal):
        return fractions_of(crystal)

    def _describe(self, crystal):
        return magpie_statistics(fractions_of(crystal))
