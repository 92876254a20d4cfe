"""Atomic fractions of the elements."""

import numpy as np

from ..crystals.crystal import ELEMENTS
from .base import CrystalFeatures, fractions_of

_COLUMNS = {element: column for column, element in enumerate(ELEMENTS)}


class ElementFractions(CrystalFeatures):
    """Turn crystals into the atomic fractions of the 118 elements.

    With a random forest, this is the baseline that every model of crystals should beat: it uses the
    composition, but not the structure.

    Parameters
    ----------
    on_error : {"raise", "warn"}, default="raise"
        What happens with rows that are not crystals: `"raise"` names them all in one error;
        `"warn"` names them in a warning, and their numbers are NaN.
    n_jobs : int, default=None
        Number of joblib workers.
    verbose : int, default=0
        Above 0 shows a progress bar.

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

    _takes_formulas = True

    def _names(self):
        return ELEMENTS

    def _key(self, crystal):
        return repr(fractions_of(crystal)).encode()

    def _describe(self, crystal):
        fractions = np.zeros(len(_COLUMNS))
        for element, fraction in fractions_of(crystal):
            fractions[_COLUMNS[element]] = fraction
        return fractions
