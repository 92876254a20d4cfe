"""Features of the bonds of a crystal."""

from ..crystals.bond_statistics import BOND_STATISTICS, describe_bonds
from .base import CrystalFeatures


class BondFeatures(CrystalFeatures):
    """Transform crystals to 87 features of their bonds.

    Two atoms are bonded more strongly the closer they are, compared with the sum of their covalent
    radii: the weight of a neighbour at relative distance q is ``exp(1 - (q / m)**6)``, where m is
    the mean over all neighbours with these weights [1]_. Of each site these are the sum of the
    weights (its coordination number), weighted means over its neighbours of lengths, elements and
    directions, and the bond valence; the features are their mean, deviation, minimum and maximum
    over the sites. Features of the whole crystal are how bonds are spread over the directions,
    packing, valence electrons per volume, the widest gap between layers, and a histogram of
    relative distances. `get_feature_names_out` names all.

    Parameters
    ----------
    symprec : float, default=0.1
        Tolerance of the search for the primitive cell, in angstrom.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that are not crystals or have no features. `"warn"` makes their
        features NaN and lists the rows in one `UserWarning`.
    n_jobs : int, default=None
        Number of joblib workers; None means 1 unless in a `joblib.parallel_config` context.
    verbose : int, default=0
        If not 0, show a progress bar.

    See Also
    --------
    GeometryFeatures : Features of the cell, and of distances without the elements.
    VoronoiFeatures : Statistics over Voronoi cells; slower.

    Notes
    -----
    Lengths are in angstrom, volumes in cubic angstrom. A site with several elements counts as the
    most frequent one. A site without a neighbour within 8 angstrom makes the features NaN.

    References
    ----------
    .. [1] R. Hoppe, "Effective coordination numbers (ECoN) and mean fictive ionic radii (MEFIR)",
       Zeitschrift fuer Kristallographie 150, 23 (1979); here with relative distances.

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.features import BondFeatures
    >>> zns = Structure.from_spacegroup(
    ...     "F-43m", Lattice.cubic(5.41), ["Zn", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    ... )
    >>> features = BondFeatures().set_output(transform="pandas").fit_transform([zns])
    >>> features.loc[0, ["mean bond length", "mean coordination number"]].round(2).tolist()
    [2.34, 4.0]
    """

    def __init__(self, *, symprec=0.1, on_error="raise", n_jobs=None, verbose=0):
        super().__init__(on_error=on_error, n_jobs=n_jobs, verbose=verbose)
        self.symprec = symprec

    def _names(self):
        return list(BOND_STATISTICS)

    def _describe(self, crystal):
        return describe_bonds(crystal, self.symprec)
