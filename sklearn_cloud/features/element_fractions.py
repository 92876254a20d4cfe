"""What the composition alone says: the fraction of each element."""

from operator import attrgetter

import numpy as np

from ..crystals.crystal import ELEMENTS
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.items import as_items
from ..crystals.rows import read_rows


class ElementFractions(CrystalTransformer):
    """Turn crystals into the atomic fractions of the 118 elements.

    In front of a random forest this is the baseline that any model of crystals has to beat: it
    knows what a crystal is made of and nothing about how.

    See Also
    --------
    sklearn_cloud.SymmetryStringTransformer : Takes the same input, and looks at the structure.

    Examples
    --------
    >>> from sklearn_cloud.features import ElementFractions
    >>> fractions = ElementFractions().fit_transform(["NaCl", "SiO2"])
    >>> fractions.shape, fractions.sum(axis=1).tolist()
    ((2, 118), [1.0, 1.0])
    """

    def fit(self, X, y=None):
        """Do nothing but look at `X`; there is nothing to learn.

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
        """Fractions of the elements.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Structures, formulas, and whatever else `SymmetryStringTransformer` takes.

        Returns
        -------
        ndarray of shape (n_crystals, 118), float64

        Raises
        ------
        TypeError, ValueError
            If items are not crystals; the message names their rows.
        """
        crystals = read_rows(as_items(X))
        columns = {element: column for column, element in enumerate(ELEMENTS)}
        fractions = np.zeros((len(crystals), len(columns)))
        for row, composition in enumerate(map(attrgetter("composition"), crystals)):
            for element, amount in composition.items():
                fractions[row, columns[element]] = amount
        return fractions / fractions.sum(axis=1, keepdims=True)

    def get_feature_names_out(self, input_features=None):
        """Symbols of the elements.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of shape (118,), object
        """
        return np.array(ELEMENTS, dtype=object)
