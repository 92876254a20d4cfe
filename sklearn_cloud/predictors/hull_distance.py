"""Energy above the convex hull, from predicted formation energies."""

from ..ensembles.coverage import check_coverage
from ..evaluation.stability import ConvexHull
from .loading import load_predictor


def energy_above_hull(X, phases, energies, *, coverage=0.9, on_error="raise", n_jobs=None):
    """Predict energies above the convex hull of competing phases.

    Parameters
    ----------
    X : array-like of shape (n_samples,)
        Crystals as for `SymmetryStringTransformer`.
    phases : sequence of pymatgen Composition or str
        Compositions or formulas of the competing phases. The elements, with energy 0, are added.
    energies : array-like of shape (n_phases,)
        Their formation energies in eV/atom, from PBE with the corrections of the Materials
        Project: the predicted ones are of this kind.
    coverage : float, default=0.9
        Share of crystals like the training crystals whose interval contains the true value.
    on_error : {"raise", "warn"}, default="raise"
        As for `load_predictor`.
    n_jobs : int, default=None
        Number of joblib workers that read crystals.

    Returns
    -------
    pandas.DataFrame
        The columns ``value``, ``lower`` and ``upper``, in eV/atom; negative below the hull. The
        energies of the phases are taken as exact.

    Raises
    ------
    TypeError, ValueError
        If a row cannot be predicted, a phase is not valid, or `coverage` is not between 0 and 1.

    See Also
    --------
    sklearn_cloud.evaluation.ConvexHull : The hull, for energies of your own.

    Notes
    -----
    The hull is that of pymatgen's ``PhaseDiagram``: S. P. Ong et al., Chem. Mater. 20, 1798 (2008).

    Examples
    --------
    >>> from sklearn_cloud.predictors import energy_above_hull
    >>> energy_above_hull(["NaCl3.cif"], ["NaCl"], [-2.1])  # doctest: +SKIP
    """
    import numpy as np
    import pandas as pd
    from pymatgen.core import Composition

    check_coverage(coverage)
    hull = ConvexHull(phases, energies)
    predictor = load_predictor("formation_energy", on_error=on_error, n_jobs=n_jobs)
    described = predictor._describe_all(X)
    found = predictor.predict_described(described, coverage)
    compositions = [Composition(crystal.composition) for crystal in described.crystals]
    on_hull = described.spread(np.array(hull.hull_energies(compositions)))
    return pd.DataFrame({name: found[name] - on_hull for name in ("value", "lower", "upper")})
