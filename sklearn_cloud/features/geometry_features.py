"""Plain features of the size, density and symmetry of a crystal."""

import numpy as np

from ..crystals.cells import cell_shape, niggli_cell
from ..crystals.geometry import DALTON, mass
from ..crystals.neighbours import nearest_distances
from ..symmetry.search import find_symmetry
from ..symmetry.strings import check_options
from .base import CrystalFeatures

_NAMES = (
    "space group",
    "volume per site",
    "density",
    "sites",
    "b/a",
    "c/a",
    "alpha",
    "beta",
    "gamma",
    "shortest neighbour distance",
    "mean neighbour distance",
    "longest neighbour distance",
    "orbits",
    "Wyckoff positions",
)


class GeometryFeatures(CrystalFeatures):
    """Transform crystals to 14 plain features of cell, symmetry and distances.

    Space group (its number), volume per site (cubic angstrom), density (g/cm3), number of sites,
    ratios of the cell's lengths, its angles (degrees), the distance of a site to its nearest
    neighbour (angstrom): shortest, mean and longest over the sites; number of orbits, and number
    of different Wyckoff positions that they occupy.

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
    MagpieFeatures : Features of the composition; both together are a strong baseline.

    Notes
    -----
    The cell is the Niggli-reduced primitive one, a <= b <= c, so that the features do not depend on
    the choice of the cell. Every site has a neighbour: for an isolated atom it is its own image in
    the next cell.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.features import GeometryFeatures
    >>> cscl = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> features = GeometryFeatures().set_output(transform="pandas")
    >>> features.fit_transform([cscl]).loc[0, ["space group", "sites", "density"]].round(2).tolist()
    [221.0, 2.0, 4.0]
    """

    def __init__(self, *, symprec=0.1, on_error="raise", n_jobs=None, verbose=0):
        super().__init__(on_error=on_error, n_jobs=n_jobs, verbose=verbose)
        self.symprec = symprec

    def _names(self):
        check_options(["sites"], "set", self.symprec, None, "moyopy")
        return list(_NAMES)

    def _describe(self, crystal):
        symmetry = find_symmetry(crystal, symprec=self.symprec)
        lengths, cosines = cell_shape(niggli_cell(symmetry.lattice))
        volume = abs(np.linalg.det(crystal.lattice))
        n_sites = len(crystal.kinds)
        nearest = nearest_distances(crystal)
        return [
            symmetry.number,
            volume / n_sites,
            mass(crystal) * DALTON / volume,
            symmetry.n_primitive,
            lengths[1] / lengths[0],
            lengths[2] / lengths[0],
            *np.degrees(np.arccos(cosines)),
            nearest.min(),
            nearest.mean(),
            nearest.max(),
            len(symmetry.orbits),
            len({orbit.position for orbit in symmetry.orbits}),
        ]


def numbers_of(features):
    """Return the numbers of `geometry_numbers` from tables of features.

    Parameters
    ----------
    features : ndarray of shape (n_crystals, 14)
        From `GeometryFeatures`.

    Returns
    -------
    ndarray of shape (n_crystals, 13)
        In the order of `sklearn_cloud.crystals.geometry.NUMBERS`.
    """
    numbers = np.log(features[:, 1:])  # without the space group
    angles = slice(_NAMES.index("alpha"), _NAMES.index("gamma") + 1)
    numbers[:, angles.start - 1 : angles.stop - 1] = np.cos(np.radians(features[:, angles]))
    return numbers
