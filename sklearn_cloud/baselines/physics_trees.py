"""Extra-trees on composition, geometry, and physics computed with a potential."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_union

from .._compat import Interval, StrOptions
from ..features.geometry_features import GeometryFeatures
from ..features.magpie import MagpieFeatures
from ..features.physics import PotentialPhysics
from .feature_regressor import FeatureRegressor


class PhysicsTreesRegressor(FeatureRegressor):
    """Trees on Magpie statistics, geometry, and phonons and moduli of a potential.

    What a potential computes of a crystal is close to many properties, but not the same: too soft,
    without the electrons. The trees learn what is missing. Where one of the computed numbers is a
    first guess of the target, name it as `reference`: other trees then learn the logarithm of the
    target's ratio to it, and the mean of all is predicted.

    Parameters
    ----------
    potential : {"chgnet", "sevennet-0", "sevennet-l3i5"}, default="chgnet"
        As in `PotentialPhysics`: ``pip install 'sklearn-cloud[baselines,physics,chgnet]'``, or
        ``sevennet`` in the place of ``chgnet``.
    properties : sequence of str, default=("energy", "phonons", "moduli")
        What the potential computes, as in `PotentialPhysics`.
    reference : str, default=None
        The number of `PotentialPhysics` that is a first guess of the target, without the name of
        the potential: ``"zone highest frequency"``, ``"bulk modulus (Voigt)"``. None is none.
    scale : {"linear", "log10"}, default="linear"
        `"log10"` says that ``y`` is the decimal logarithm of a quantity, to whose unit a
        reference belongs.
    n_estimators : int, default=300
        Number of trees for each form of the target.
    min_samples_leaf : int, default=1
        Fewest training rows in a leaf; more than one smooths over noisy targets.
    symprec : float, default=0.1
        Distance within which sites count as equivalent for the geometry, in angstrom.
    cache : str or path, default=None
        Folder in which the results of the potential are kept.
    device : str or torch.device, default=None
        Where the potential computes; None is CUDA where there is one, else the CPU.
    random_state : int, RandomState instance or None, default=None
        Seed of the trees.
    n_jobs : int, default=None
        Workers that describe crystals and grow trees; None is 1 unless in a
        `joblib.parallel_config` context.
    verbose : int, default=0
        Above 0 shows a progress bar while crystals are described.

    Attributes
    ----------
    features_ : FeatureUnion
        `MagpieFeatures`, `GeometryFeatures` and `PotentialPhysics`.
    head_ : MeanOfForms
        The fitted trees; a `MultiOutputRegressor` of them where ``y`` has several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    Warns
    -----
    UserWarning
        If the potential cannot compute some of the crystals; the trees do without its numbers.

    See Also
    --------
    GeometryTreesRegressor : The same without a potential.
    sklearn_cloud.features.PotentialPhysics : The numbers.

    Examples
    --------
    >>> from sklearn_cloud.baselines import PhysicsTreesRegressor
    >>> from sklearn_cloud.datasets import load_example
    >>> crystals, y = load_example(return_X_y=True)
    >>> model = PhysicsTreesRegressor("chgnet", properties=["energy"], random_state=0)
    >>> model.fit(crystals, y).predict(crystals).shape == y.shape  # doctest: +SKIP
    True
    """

    _parameter_constraints = {
        **FeatureRegressor._parameter_constraints,
        "reference": [str, None],
        "scale": [StrOptions({"linear", "log10"})],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        **{
            name: PotentialPhysics._parameter_constraints[name]
            for name in ("potential", "properties", "cache", "device")
        },
    }

    def __init__(
        self,
        potential="chgnet",
        *,
        properties=("energy", "phonons", "moduli"),
        reference=None,
        scale="linear",
        n_estimators=300,
        min_samples_leaf=1,
        symprec=0.1,
        cache=None,
        device=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        super().__init__(
            n_estimators=n_estimators, random_state=random_state, n_jobs=n_jobs, verbose=verbose
        )
        self.potential = potential
        self.properties = properties
        self.reference = reference
        self.scale = scale
        self.min_samples_leaf = min_samples_leaf
        self.symprec = symprec
        self.cache = cache
        self.device = device

    def _features(self):
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        physics = PotentialPhysics(
            self.potential,
            properties=self.properties,
            cache=self.cache,
            device=self.device,
            **options,
        )
        return make_union(
            MagpieFeatures(**options),
            GeometryFeatures(symprec=self.symprec, **options),
            physics,
            verbose_feature_names_out=False,
        )

    def _head(self):
        trees = ExtraTreesRegressor(
            self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
        )
        return MeanOfForms(trees, reference=self._reference_column(), scale=self.scale)

    def _reference_column(self):
        """Column of the reference, counted from the last one; None where there is none."""
        if self.reference is None:
            return None
        names = PotentialPhysics(self.potential, properties=self.properties).column_names()
        if self.reference not in names:
            raise ValueError(
                f"reference={self.reference!r} is not one of the features of "
                f"properties={self.properties!r}: {names}"
            )
        return names.index(self.reference) - len(names)


class MeanOfForms(RegressorMixin, BaseEstimator):
    """Mean of one regressor fitted to several forms of the target.

    These are the target itself, its logarithm where all targets are positive, and the logarithm
    of its ratio to a column of `X` where that is positive. Where the target is a logarithm already,
    they are itself and the ratio.

    Parameters
    ----------
    estimator : regressor
        Cloned for each form.
    reference : int, default=None
        The column; None leaves this form out.
    scale : {"linear", "log10"}, default="linear"
        Whether the target is a logarithm.

    Attributes
    ----------
    estimators_ : dict
        {form: fitted regressor}.
    """

    def __init__(self, estimator, *, reference=None, scale="linear"):
        self.estimator = estimator
        self.reference = reference
        self.scale = scale

    def fit(self, X, y, sample_weight=None):
        """Fit the regressor to each form.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        y : ndarray of shape (n_samples,)
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a ratio is asked for, and targets are not positive.
        """
        self.estimators_ = {}
        for form, (targets, rows) in self._forms(X, y).items():
            weights = None if sample_weight is None else sample_weight[rows]
            self.estimators_[form] = clone(self.estimator).fit(X[rows], targets, weights)
        return self

    def predict(self, X):
        """Mean over the forms; without the ratio where a row has no reference.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        guesses = []
        for form, estimator in self.estimators_.items():
            guess = estimator.predict(X)
            if form == "ratio":
                guess = guess + self._references(X)
            if form != "itself" and self.scale == "linear":
                guess = 10**guess
            guesses.append(guess)
        return np.nanmean(guesses, axis=0)

    def _forms(self, X, y):
        """{form: (targets, rows that have it)}."""
        every = np.ones(len(y), dtype=bool)
        forms = {"itself": (y, every)}
        logarithms = y
        if self.scale == "linear":
            if not (y > 0).all():
                return self._without_logarithms(forms)
            logarithms = np.log10(y)
            forms["log"] = logarithms, every
        references = self._references(X)
        known = np.isfinite(references)
        if known.any():
            forms["ratio"] = (logarithms - references)[known], known
        return forms

    def _without_logarithms(self, forms):
        if self.reference is not None:
            raise ValueError(
                "a ratio to a reference needs targets above 0: set reference=None or, if the "
                'targets are logarithms already, scale="log10"'
            )
        return forms

    def _references(self, X):
        """Logarithm of the reference, NaN where it is not positive."""
        if self.reference is None:
            return np.full(len(X), np.nan)
        column = X[:, self.reference]
        return np.log10(np.where(column > 0, column, np.nan))
