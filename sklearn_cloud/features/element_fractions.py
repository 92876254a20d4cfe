"""Atomic fractions of the elements."""

from operator import attrgetter

import numpy as np

from ..crystals.crystal import ELEMENTS
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.rows import read_rows


class ElementFractions(CrystalTransformer):
    """Transform crystals to the atomic fractions of the 118 elements.

    With a random forest, this is the baseline that every model of crystals should beat: it uses the
    composition, but not the structure.

    See Also
    --------
    sklearn_cloud.SymmetryStringTransformer : Takes the same input and uses the structure.

    Examples
    --------
    >>> from sklearn_cloud.features import ElementFractions
    >>> fractions = ElementFractions().fit_transform(["NaCl", "SiO2"])
    >>> fractions.shape, fractions.sum(axis=1).tolist()
    ((2, 118), [1.0, 1.0])
    """

    def fit(self, X, y=None):
        """Check the type of `X`.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
        y : ignored

        Returns
        -------
        self
        """
        as_items(X)
        return self

    def transform(self, X):
        """Return the fractions of the elements.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Structures, formulas, or other input of `SymmetryStringTransformer`.

        Returns
        -------
        ndarray of shape (n_crystals, 118), float64

        Raises
        ------
        TypeError, ValueError
            If items are not crystals; the message lists their rows.
        """
        crystals = read_rows(as_items(X))
        columns = {element: column for column, element in enumerate(ELEMENTS)}
        fractions = np.zeros((len(crystals), len(columns)))
        for row, composition in enumerate(map(attrgetter("composition"), crystals)):
            for element, amount in composition.items():
                fractions[row, columns[element]] = amount
        return fractions / fractions.sum(axis=1, keepdims=True)

    def get_feature_names_out(self, input_features=None):
        """Return the symbols of the elements.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (118,), object
        """
        return np.array(ELEMENTS, dtype=object)
