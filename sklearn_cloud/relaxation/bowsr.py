"""BowsrRelaxer: crystals in, relaxed crystals out, by Bayesian optimisation under symmetry."""

import warnings
from functools import partial
from numbers import Integral, Real
from os import PathLike

import numpy as np
import torch
from sklearn.utils import check_random_state
from tqdm.auto import tqdm

from .._compat import Interval
from ..crystals.crystal_transformer import CrystalTransformer
from ..crystals.errors import CrystalError
from ..crystals.items import as_items
from ..crystals.rows import compute_rows, content_key, each, full_key, need_structure, warn_notes
from .free_parameters import FreeParameters
from .objectives import as_structure, energy_function


class BowsrRelaxer(CrystalTransformer):
    """Relax crystals without forces (BOWSR, Bayesian optimisation with symmetry relaxation).

    Symmetry leaves a few strains of the cell and displacements of the sites free. A Gaussian
    process learns the energy as a function of them, and says where to look next. The result is the
    crystal of least energy that was seen, with the space group that went in.

    Parameters
    ----------
    objective : str or estimator, default="chgnet"
        What is minimised: the energy of a potential, by its name in
        :class:`~sklearn_cloud.features.PotentialFeatures`, or the predictions of a fitted
        regressor of crystals. A regressor must look at the coordinates and cells, which
        `CloudRegressor` does not; in a pipeline that is cloned, wrap it in
        `sklearn.frozen.FrozenEstimator`.
    n_trials : int, default=60
        Number of energies that are computed of each crystal, the first of them of the crystal as
        it is.
    max_strain : float, default=0.1
        Largest relative change of a length of the cell; 0 keeps the cell.
    max_displacement : float, default=0.3
        How far a site may move along each pattern of displacements, in angstrom; 0 keeps the
        fractional coordinates.
    symprec : float, default=0.01
        Distance within which sites count as equivalent, in angstrom.
    weights : str or path, default=None
        Weights of the potential, as in `PotentialFeatures`.
    trust_weights : bool, default=False
        Whether weights may be a pickle, as those of MACE are, which **can run any code**.
    device : str or torch.device, default=None
        Where a potential computes; None is CUDA where there is one, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seed. With an int, a crystal is relaxed in the same way whatever the other rows are.
    verbose : int, default=0
        If not 0, show a progress bar.

    Warns
    -----
    UserWarning
        If the objective has no finite value for some crystals as they are: these come back
        unchanged.

    See Also
    --------
    sklearn_cloud.features.PotentialPhysics : Physics of crystals as they are.

    Notes
    -----
    After Zuo et al. [1]_, with the Gaussian process of Optuna's `GPSampler` in place of theirs,
    and strains instead of cell lengths and angles. Crystals without free parameters come back
    unchanged, as do those of which nothing better was found. Bayesian optimisation suits few
    parameters, up to about ten; with an accurate potential, relaxation along its forces is faster.

    References
    ----------
    .. [1] Y. Zuo et al., "Accelerating materials discovery with Bayesian optimization and graph
       deep learning", Mater. Today 51, 126 (2021).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.relaxation import BowsrRelaxer
    >>> cscl = Structure(Lattice.cubic(4.4), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    >>> relaxer = BowsrRelaxer("chgnet", n_trials=20, random_state=0)
    >>> relaxer.fit_transform([cscl])[0].lattice.a  # doctest: +SKIP
    4.19
    """

    _parameter_constraints = {
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "max_strain": [Interval(Real, 0, 0.5, closed="both")],
        "max_displacement": [Interval(Real, 0, 3, closed="both")],
        "symprec": [Interval(Real, 0, 1, closed="right")],
        "weights": [str, PathLike, None],
        "trust_weights": ["boolean"],
        "device": [str, torch.device, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        objective="chgnet",
        *,
        n_trials=60,
        max_strain=0.1,
        max_displacement=0.3,
        symprec=0.01,
        weights=None,
        trust_weights=False,
        device=None,
        random_state=None,
        verbose=0,
    ):
        self.objective = objective
        self.n_trials = n_trials
        self.max_strain = max_strain
        self.max_displacement = max_displacement
        self.symprec = symprec
        self.weights = weights
        self.trust_weights = trust_weights
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y=None):
        """Check the parameters and load the potential; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Crystals; only the type of the collection is checked.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        FileNotFoundError
            If a potential lacks its weights; the message says which, and where to put them.
        ImportError
            If Optuna or the package of the potential is not installed.
        sklearn.exceptions.NotFittedError
            If the objective is a regressor that is not fitted.
        TypeError, ValueError
            If `X` is not a collection of crystals, or a parameter is invalid.
        """
        self._energy()
        as_items(X)
        return self

    def transform(self, X):
        """Relax each crystal.

        Parameters
        ----------
        X : array-like of shape (n_crystals,)
            Ordered crystals, as for `SymmetryStringTransformer`; formulas are not enough.

        Returns
        -------
        ndarray of shape (n_crystals,), object
            pymatgen ``Structure`` objects, with the cells and the order of the sites of `X`.

        Raises
        ------
        FileNotFoundError
            If a potential lacks its weights; the message says which, and where to put them.
        ImportError
            If Optuna or the package of the potential is not installed.
        TypeError, ValueError
            If items are not ordered crystals; the message lists their rows.
        """
        energy, elements = self._energy()
        find = partial(each, partial(_free_parameters, symprec=self.symprec, elements=elements))
        rows = compute_rows(as_items(X), find, key=full_key)
        warn_notes(rows)
        seed = check_random_state(self.random_state).randint(2**31)
        relaxed = []
        for free in tqdm(rows.results, disable=not self.verbose, unit="crystal"):
            relaxed.append(self._relax(free, energy, seed))
        _report([row for row, place in enumerate(rows.places) if relaxed[place] is None])
        table = np.empty(len(rows.places), dtype=object)
        for row, place in enumerate(rows.places):
            table[row] = as_structure(relaxed[place] or rows.results[place].crystal)
        return table

    def _energy(self):
        self._validate_params()
        _import_optuna()
        return energy_function(self.objective, self.weights, self.trust_weights, self.device)

    def _relax(self, free, energy, seed):
        """The crystal of least energy; None if the energy of the given one is not finite."""
        sizes = np.repeat(
            [self.max_strain, self.max_displacement], [len(free.strains), len(free.displacements)]
        )
        if not sizes.any():
            return free.crystal
        first = energy(free.crystal)
        if not np.isfinite(first):
            return None
        values = np.zeros(len(sizes))

        def energy_after(moved):
            values[sizes > 0] = moved
            return energy(free.apply(values))

        # a seed of the crystal's own, whatever the other rows are
        own = int.from_bytes(content_key(free.crystal)[:4], "big")
        best = minimise(energy_after, first, sizes[sizes > 0], self.n_trials, seed ^ own)
        values[sizes > 0] = best
        return free.apply(values) if best.any() else free.crystal


def minimise(function, at_zero, sizes, n_trials, seed):
    """Where a function is least, by Bayesian optimisation with a Gaussian process.

    Parameters
    ----------
    function : callable
        From an array of numbers to a number; where this is not finite, the trial counts as failed.
    at_zero : float
        Its value where all numbers are 0, which counts as the first trial.
    sizes : ndarray of shape (n_numbers,)
        Largest absolute value of each number.
    n_trials : int
    seed : int

    Returns
    -------
    ndarray of shape (n_numbers,)
        The best that was seen; where none is better than zero, zero.
    """
    optuna = _import_optuna()
    ranges = {
        f"{i}": optuna.distributions.FloatDistribution(-size, size)
        for i, size in enumerate(sizes.tolist())
    }
    zero = {name: 0.0 for name in ranges}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.GPSampler(seed=seed, deterministic_objective=True)
    study = _quiet_study(optuna, sampler)
    study.add_trial(
        optuna.trial.create_trial(params=zero, distributions=ranges, value=float(at_zero))
    )
    for _ in range(n_trials - 1):
        trial = study.ask(ranges)
        value = function(np.array([trial.params[name] for name in ranges]))
        if np.isfinite(value):
            study.tell(trial, value)
        else:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
    return np.array([study.best_params[name] for name in ranges])


def _quiet_study(optuna, sampler):
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(level)


def _import_optuna():
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ImportError(
            "BowsrRelaxer requires Optuna: pip install 'sklearn-cloud[relaxation]'"
        ) from error
    return optuna


def _free_parameters(crystal, symprec, elements):
    need_structure(crystal, "a relaxation")
    for site, kind in enumerate(crystal.kinds):
        ((element, occupancy), *others) = crystal.species[kind]
        if others or occupancy < 0.999:
            raise CrystalError(
                f"site {site} is disordered, {dict(crystal.species[kind])}, but a relaxation needs "
                f"an ordered crystal: use pymatgen's OrderDisorderedStructureTransformation"
            )
        if elements is not None and element not in elements:
            raise CrystalError(
                f"site {site} contains {element}, which the potential does not support"
            )
    return FreeParameters(crystal, symprec)


def _report(failed):
    if failed:
        warnings.warn(
            f"the objective is not finite for {len(failed)} crystals as they are, which come back "
            f"unchanged: rows {failed}",
            stacklevel=3,
        )
