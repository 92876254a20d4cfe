"""PotentialEnergyRegressor: formation energies from a pre-trained interatomic potential."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion

from ..crystals.crystal import ELEMENTS
from ..features.element_fractions import ElementFractions
from ..features.potentials import PotentialFeatures
from .feature_regressor import FeatureRegressor

_SHRINKAGE = 1e-6  # decides between elements that only come together


class PotentialEnergyRegressor(FeatureRegressor):
    """Predict formation energies with a pre-trained interatomic potential.

    The potential gives the energy of a crystal; learned are the energies of the elements that are
    taken away from it, by least squares on the training rows. For energies, and quantities that
    differ from them by a sum over the atoms: the potential is not trained any further.

    Parameters
    ----------
    potential : str, default="chgnet"
        As in `PotentialFeatures`: ``pip install 'sklearn-cloud[chgnet]'``, ``[sevennet]``,
        ``[matgl]`` or ``[mace]``.
    weights : str or path, default=None
        File or folder with weights of one's own, as in `PotentialFeatures`.
    trust_weights : bool, default=False
        Whether weights may be a pickle, as those of MACE are, which **can run any code**.
    batch_size : int, default=16
        Distinct crystals computed at a time.
    device : str or torch.device, default=None
        Where to compute; None is CUDA where there is one, else the CPU.
    verbose : int, default=0
        Above 0 shows a progress bar.

    Attributes
    ----------
    features_ : FeatureUnion
        Energy of the potential and fractions of the elements.
    head_ : ElementReferences
        The fitted energies of the elements; a `MultiOutputRegressor` of them where ``y`` has
        several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    Warns
    -----
    UserWarning
        If a crystal of `predict` holds an element that no training row has: the mean energy of
        the others is taken, which may be wrong by several eV.

    See Also
    --------
    PotentialFeatures : The vectors of a potential, for other properties.
    sklearn_cloud.relaxation.BowsrRelaxer : Crystals relaxed with its energy.

    Notes
    -----
    For the search for stable crystals [1]_, among others. The energy is that of the crystal as it
    is given: one that is not relaxed lies too high. CHGNet, SevenNet and M3GNet were trained on
    relaxations of the Materials Project, so crystals from there, such as MatBench's
    ``mp_e_form``, have been seen; those of WBM have not. Energies of SevenNet lack the Materials
    Project's corrections for oxides and fluorides of transition metals, which no sum over
    elements replaces: prefer CHGNet where the targets have them.

    References
    ----------
    .. [1] J. Riebesell et al., "A framework to evaluate machine learning crystal stability
       predictions", Nat. Mach. Intell. 7, 836 (2025).

    Examples
    --------
    >>> from pymatgen.core import Lattice, Structure
    >>> from sklearn_cloud.baselines import PotentialEnergyRegressor
    >>> cells = [Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0] * 3, [0.5] * 3]) for a in (4, 5)]
    >>> model = PotentialEnergyRegressor("chgnet")
    >>> model.fit(cells, [-2.2, -1.9]).predict(cells).shape  # doctest: +SKIP
    (2,)
    """

    _parameter_constraints = {
        name: PotentialFeatures._parameter_constraints[name]
        for name in ("potential", "weights", "trust_weights", "batch_size", "device", "verbose")
    }
    n_jobs = None

    def __init__(
        self,
        potential="chgnet",
        *,
        weights=None,
        trust_weights=False,
        batch_size=16,
        device=None,
        verbose=0,
    ):
        self.potential = potential
        self.weights = weights
        self.trust_weights = trust_weights
        self.batch_size = batch_size
        self.device = device
        self.verbose = verbose

    def _features(self):
        energy = PotentialFeatures(quantity="energy", **self.get_params(deep=False))
        return FeatureUnion([("energy", energy), ("fractions", ElementFractions())])

    def _head(self):
        return ElementReferences()


class ElementReferences(RegressorMixin, BaseEstimator):
    """What is added to an energy for each element, by least squares.

    Attributes
    ----------
    references_ : ndarray of shape (118,)
        In the order of `ElementFractions`; where no training row has the element, the mean of
        those that have.
    known_ : ndarray of shape (118,), bool
        Whether a training row with a weight above 0 has the element.
    """

    def fit(self, X, y, sample_weight=None):
        """Fit to energies and fractions of the elements.

        Parameters
        ----------
        X : array-like of shape (n_crystals, 119)
            Energy in eV/atom, then the fractions of the elements.
        y : array-like of shape (n_crystals,)
            Target in eV/atom.
        sample_weight : array-like of shape (n_crystals,), default=None

        Returns
        -------
        self
        """
        energies, fractions = X[:, 0], X[:, 1:]
        ridge = Ridge(_SHRINKAGE, solver="svd").fit(fractions, y - energies, sample_weight)
        taught = fractions if sample_weight is None else fractions[np.asarray(sample_weight) > 0]
        self.known_ = taught.any(axis=0)
        # Fractions add up to 1: the intercept belongs to every element.
        self.references_ = ridge.coef_ + ridge.intercept_
        self.references_[~self.known_] = self.references_[self.known_].mean()
        return self

    def predict(self, X):
        """Energy plus what the elements add.

        Parameters
        ----------
        X : array-like of shape (n_crystals, 119)

        Returns
        -------
        ndarray of shape (n_crystals,)
        """
        energies, fractions = X[:, 0], X[:, 1:]
        rows, columns = np.nonzero(fractions * ~self.known_)
        if len(rows):
            elements = ", ".join(ELEMENTS[column] for column in np.unique(columns))
            warnings.warn(
                f"{len(np.unique(rows))} rows (the first is row {rows[0]}) contain elements that "
                f"are not in the training rows ({elements}): their energies are rough estimates; "
                f"add crystals with these elements to the training rows",
                stacklevel=3,
            )
        # row by row, so that no sum depends on how many rows there are
        return energies + (fractions * self.references_).sum(axis=1)
