"""Stability from formation energies: the convex hull, and curves of a discovery benchmark."""

from collections import defaultdict
from itertools import combinations

import numpy as np

from ..crystals.crystal import ELEMENT_RANK
from .metrics import check_energies, ranking, stability_scores

THRESHOLDS = (-0.05, 0.0, 0.05)  # eV/atom, Table 7 of the paper
_DIGITS = 10  # of an atomic fraction, in which equal compositions agree


class ConvexHull:
    """The convex hull of known phases in formation energy and composition.

    Parameters
    ----------
    compositions : sequence of pymatgen Composition or str
        Compositions or formulas of the known phases (the training set).
    formation_energies : array-like of shape (n_phases,)
        Their formation energies, in eV/atom.

    Attributes
    ----------
    n_phases : int
        Number of compositions with a negative formation energy; only these, and the elements, can
        be on the hull.

    Notes
    -----
    Formation energies are relative to the elements, so every element is a phase of energy 0, also
    if no known phase contains it: a candidate with such an element is compared with the phases of
    its other elements and with that element itself.

    pymatgen's ``PhaseDiagram`` is built per chemical system, from the phases of that system and its
    subsystems only, and is not stored; hull energies are stored by composition. 10,000 candidates
    against 130,000 phases take less than a minute on one core.

    The candidates are not part of the hull: a candidate below it has a negative distance, as in
    Matbench Discovery [1]_.

    References
    ----------
    .. [1] J. Riebesell et al., "Matbench Discovery", arXiv:2308.14920.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import ConvexHull
    >>> hull = ConvexHull(["NaCl", "MgO"], [-2.0, -3.0])
    >>> hull.hull_energies(["NaCl", "Na3Cl", "KBr"])
    array([-2., -1.,  0.])
    >>> hull.energy_above_hull(["Na3Cl", "NaCl"], [-0.75, -2.5])
    array([ 0.25, -0.5 ])
    """

    def __init__(self, compositions, formation_energies):
        energies = _check_lengths(compositions, formation_energies)
        if not np.isfinite(energies).all():
            row = np.flatnonzero(~np.isfinite(energies))[0]
            raise ValueError(f"the formation energy of phase {row} is not finite")
        lowest = {}
        for row, (composition, energy) in enumerate(zip(compositions, energies.tolist())):
            key = _fractions(composition, f"phase {row}")
            if energy < lowest.get(key, 0.0):
                lowest[key] = energy
        self.n_phases = len(lowest)
        self._phases = defaultdict(list)  # chemical system -> [(fractions, energy)]
        for key, energy in lowest.items():
            self._phases[_system(key)].append((key, energy))
        self._energies = {}  # composition -> energy of the hull there

    def hull_energies(self, compositions, *, verbose=0):
        """Return the formation energy of the hull at each composition.

        Parameters
        ----------
        compositions : sequence of pymatgen Composition or str
            Compositions or formulas.
        verbose : int, default=0
            If not 0, show a progress bar.

        Returns
        -------
        ndarray of shape (n_compositions,)
            In eV/atom, at most 0.

        Raises
        ------
        ValueError
            If a composition cannot be read or is empty.
        """
        from tqdm.auto import tqdm

        keys = [_fractions(c, f"candidate {row}") for row, c in enumerate(compositions)]
        wanted = defaultdict(list)
        for key in dict.fromkeys(keys):
            if key not in self._energies:
                wanted[_system(key)].append(key)
        for system, members in tqdm(wanted.items(), desc="chemical systems", disable=not verbose):
            self._energies.update(self._solve(system, members))
        return np.array([self._energies[key] for key in keys], dtype=float)

    def energy_above_hull(self, compositions, formation_energies, *, verbose=0):
        """Return the distance of each crystal to the hull, negative below it.

        Parameters
        ----------
        compositions : sequence of pymatgen Composition or str
            Compositions or formulas of the crystals.
        formation_energies : array-like of shape (n_crystals,)
            Their formation energies in eV/atom; NaN (no prediction) stays NaN.
        verbose : int, default=0
            If not 0, show a progress bar.

        Returns
        -------
        ndarray of shape (n_crystals,)
            In eV/atom.
        """
        energies = _check_lengths(compositions, formation_energies)
        return energies - self.hull_energies(compositions, verbose=verbose)

    def _solve(self, system, members):
        from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
        from pymatgen.core import Composition

        phases = [(((element, 1.0),), 0.0) for element in system]
        for size in range(1, len(system) + 1):
            for subsystem in combinations(system, size):
                phases += self._phases.get(subsystem, [])
        entries = []
        for fractions, energy in phases:
            composition = Composition(dict(fractions))
            entries.append(PDEntry(composition, energy * composition.num_atoms))
        diagram = PhaseDiagram(entries)
        for key in members:
            energy = diagram.get_hull_energy_per_atom(Composition(dict(key)))
            yield key, min(float(energy), 0.0)  # rounding may leave 1e-17


def stability_table(e_true, e_pred, *, thresholds=THRESHOLDS, subset=None):
    """Return `stability_scores` at several prediction thresholds, with true labels at 0 (Table 7).

    Parameters
    ----------
    e_true, e_pred : array-like of shape (n_crystals,)
        True and predicted energies above the hull, in eV/atom; NaN for a missing prediction.
    thresholds : sequence of float, default=(-0.05, 0.0, 0.05)
        Energies up to which a crystal is predicted stable, in eV/atom.
    subset : array-like of bool of shape (n_crystals,), default=None
        Crystals to score; None means all.

    Returns
    -------
    pandas.DataFrame
        One row per threshold, with the scores as columns.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import stability_table
    >>> table = stability_table([-0.1, 0.2, 0.1, 0.3], [-0.2, -0.02, 0.2, 0.4])
    >>> table["precision"].to_dict()
    {-0.05: 1.0, 0.0: 0.5, 0.05: 0.5}
    """
    import pandas as pd

    rows = [stability_scores(e_true, e_pred, threshold=t, subset=subset) for t in thresholds]
    return pd.DataFrame(rows, index=pd.Index([float(t) for t in thresholds], name="threshold"))


def roc_points(e_true, e_pred, *, subset=None):
    """Return the ROC curve of the search for stable crystals (Figures 3 and 5).

    Parameters
    ----------
    e_true, e_pred : array-like of shape (n_crystals,)
        True and predicted energies above the hull, in eV/atom; NaN for a missing prediction (such
        crystals come last).
    subset : array-like of bool of shape (n_crystals,), default=None
        Crystals to score; None means all.

    Returns
    -------
    fpr, tpr : ndarray of shape (n_points,)
        Share of the unstable and of the stable crystals that are predicted stable, both from 0
        to 1.
    thresholds : ndarray of shape (n_points,)
        Predicted energy above the hull up to which crystals count as stable at each point; -inf
        at the first point, where none does.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import roc_points
    >>> fpr, tpr, thresholds = roc_points([-0.1, 0.2, 0.1, 0.3], [-0.2, -0.3, 0.2, 0.4])
    >>> fpr.round(2).tolist(), tpr.tolist()
    ([0.0, 0.33, 0.33, 1.0], [0.0, 0.0, 1.0, 1.0])
    """
    from sklearn.metrics import roc_curve

    e_true, e_pred = check_energies(e_true, e_pred, subset)
    fpr, tpr, scores = roc_curve(e_true <= 0, ranking(e_pred))
    return fpr, tpr, -scores


def rolling_error(e_true, e_pred, *, window=0.04, step=0.005, limits=(-0.2, 0.2)):
    """Return the mean absolute error in a moving window of the true distance to the hull.

    Parameters
    ----------
    e_true, e_pred : array-like of shape (n_crystals,)
        True and predicted energies above the hull, in eV/atom; crystals without prediction
        (NaN) are left out.
    window : float, default=0.04
        Width of the window in eV/atom.
    step : float, default=0.005
        Distance between two windows in eV/atom.
    limits : (float, float), default=(-0.2, 0.2)
        Centres of the first and the last window, in eV/atom.

    Returns
    -------
    centers : ndarray of shape (n_windows,)
        Middle of each window, in eV/atom.
    mae : ndarray of shape (n_windows,)
        Mean absolute error in the window, in eV/atom; NaN if it is empty.
    sem : ndarray of shape (n_windows,)
        Its standard error; NaN with fewer than two crystals.
    counts : int ndarray of shape (n_windows,)
        Number of crystals in the window.

    References
    ----------
    .. [1] J. Riebesell et al., "Matbench Discovery", arXiv:2308.14920: the rolling error
       against the distance to the hull.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import rolling_error
    >>> centers, mae, _, counts = rolling_error(
    ...     [-0.1, 0.0, 0.01, 0.1], [-0.2, 0.03, 0.02, 0.1], step=0.1, limits=(-0.1, 0.1)
    ... )
    >>> centers.tolist(), mae.round(3).tolist(), counts.tolist()
    ([-0.1, 0.0, 0.1], [0.1, 0.02, 0.0], [1, 2, 1])
    """
    e_true, e_pred = np.asarray(e_true, dtype=float), np.asarray(e_pred, dtype=float)
    if e_true.ndim != 1 or e_true.shape != e_pred.shape:
        raise ValueError(
            f"e_true and e_pred must have the same shape, got {e_true.shape} and {e_pred.shape}"
        )
    if window <= 0 or step <= 0 or limits[1] < limits[0]:
        raise ValueError("window and step must be positive, and the limits in ascending order")
    centers = limits[0] + step * np.arange(int(round((limits[1] - limits[0]) / step)) + 1)
    present = ~np.isnan(e_pred)
    error, place = np.abs(e_pred - e_true)[present], e_true[present]
    inside = [error[np.abs(place - center) <= window / 2] for center in centers]
    counts = np.array([len(errors) for errors in inside])
    mae = np.array([errors.mean() if len(errors) else np.nan for errors in inside])
    sem = [e.std(ddof=1) / np.sqrt(len(e)) if len(e) > 1 else np.nan for e in inside]
    return centers, mae, np.array(sem), counts


def _check_lengths(compositions, formation_energies):
    energies = np.asarray(formation_energies, dtype=float)
    if energies.ndim != 1 or len(compositions) != len(energies):
        raise ValueError(
            f"expected one formation energy for each of {len(compositions)} compositions, got "
            f"shape {energies.shape}"
        )
    return energies


def _fractions(composition, name):
    """Return ((element, atomic fraction), ...) in alphabetical order: the key of a composition."""
    from pymatgen.core import Composition

    if not isinstance(composition, Composition | str):
        raise TypeError(
            f"{name} must be a pymatgen Composition or a formula, got {type(composition).__name__}"
        )
    try:
        composition = Composition(composition)
    except ValueError as error:
        raise ValueError(f"{name}, {composition!r:.80}, is not a chemical formula") from error
    amounts = defaultdict(float)
    for specie, amount in composition.items():
        if specie.symbol not in ELEMENT_RANK:
            raise ValueError(f"{name} contains {specie.symbol!r}, which is not an element")
        amounts[specie.symbol] += amount
    total = sum(amounts.values())
    if not total > 0:
        raise ValueError(f"{name} is an empty composition")
    return tuple(sorted((element, round(a / total, _DIGITS)) for element, a in amounts.items()))


def _system(key):
    return tuple(element for element, _ in key)
