"""Features of composition and space group, without extra packages."""

import numpy as np

from ..crystals.crystal import ELEMENT_RANK, ELEMENTS
from ..symmetry.search import find_symmetry
from ..symmetry.strings import check_options
from .base import CrystalFeatures, fractions_of

_N_SPACE_GROUPS = 230


class SpaceGroupFractions(CrystalFeatures):
    """Transform crystals to the fractions of the elements and the one-hot space group.

    Parameters
    ----------
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that are not crystals or have no features. `"warn"` makes their
        features NaN and lists the rows in one `UserWarning`.
    n_jobs : int, default=None
        Number of joblib workers; None means 1 unless in a `joblib.parallel_config` context.
    verbose : int, default=0
        If not 0, show a progress bar.

    See Also
    --------
    ElementFractions : The fractions only.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.features import SpaceGroupFractions
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> features = SpaceGroupFractions()
    >>> table = features.fit_transform([cscl])
    >>> features.get_feature_names_out()[table[0] > 0].tolist()
    ['Cs', 'Cl', 'space group 221']
    """

    def __init__(self, *, symprec=0.1, on_error="raise", n_jobs=None, verbose=0):
        super().__init__(on_error=on_error, n_jobs=n_jobs, verbose=verbose)
        self.symprec = symprec

    def _names(self):
        check_options(["sites"], "set", self.symprec, None, "moyopy")
        return [*ELEMENTS, *(f"space group {number + 1}" for number in range(_N_SPACE_GROUPS))]

    def _describe(self, crystal):
        numbers = np.zeros(len(ELEMENTS) + _N_SPACE_GROUPS)
        for element, fraction in fractions_of(crystal):
            numbers[ELEMENT_RANK[element]] = fraction
        space_group = find_symmetry(crystal, symprec=self.symprec).number
        numbers[len(ELEMENTS) + space_group - 1] = 1
        return numbers
