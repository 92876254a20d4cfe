"""Gradient boosting on Magpie statistics and plain geometry numbers."""

from numbers import Integral

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import make_union

from .._compat import Interval
from ..features.geometry_features import GeometryFeatures
from ..features.magpie import MagpieFeatures
from .feature_regressor import FeatureRegressor


class MagpieBoostingRegressor(FeatureRegressor):
    """Gradient boosting of the absolute error on Magpie statistics and plain geometry numbers.

    Parameters
    ----------
    n_estimators : int, default=300
        Number of trees.
    geometry : bool, default=True
        Whether the 14 numbers of `GeometryFeatures` are looked at besides the composition; with
        False formulas will do.
    min_samples_leaf : int, default=20
        Fewest training rows in a leaf; tables of less than a few hundred rows need less.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    random_state : int, RandomState instance or None, default=None
        Seed of the boosting.
    n_jobs : int, default=None
        Workers that describe crystals; None is 1 unless in a `joblib.parallel_config` context.
        The trees are grown with OpenMP's number of threads.
    verbose : int, default=0
        Above 0 shows a progress bar while crystals are described.

    Attributes
    ----------
    features_ : MagpieFeatures or FeatureUnion
        With `geometry` the union of `MagpieFeatures` and `GeometryFeatures`.
    head_ : HistGradientBoostingRegressor
        The fitted trees; a `MultiOutputRegressor` of them where ``y`` has several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    Notes
    -----
    Each split looks at half of the numbers, drawn anew; all trees are kept (no early stopping).

    See Also
    --------
    GeometryTreesRegressor : Extra-trees on the same numbers.

    Examples
    --------
    >>> from sklearn_cloud.baselines import MagpieBoostingRegressor
    >>> model = MagpieBoostingRegressor(n_estimators=10, geometry=False, random_state=0)
    >>> model.fit(["NaCl", "KCl", "NaBr", "KBr"], [8.5, 8.3, 7.3, 7.4]).predict(["LiCl"]).shape
    (1,)
    """

    _parameter_constraints = {
        **FeatureRegressor._parameter_constraints,
        "geometry": ["boolean"],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_estimators=300,
        geometry=True,
        min_samples_leaf=20,
        symprec=0.1,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        super().__init__(
            n_estimators=n_estimators, random_state=random_state, n_jobs=n_jobs, verbose=verbose
        )
        self.geometry = geometry
        self.min_samples_leaf = min_samples_leaf
        self.symprec = symprec

    @property
    def _takes_formulas(self):
        return not self.geometry

    def _features(self):
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        magpie = MagpieFeatures(**options)
        if not self.geometry:
            return magpie
        return make_union(magpie, GeometryFeatures(symprec=self.symprec, **options))

    def _head(self):
        return HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=self.n_estimators,
            max_features=0.5,
            min_samples_leaf=self.min_samples_leaf,
            early_stopping=False,
            random_state=self.random_state,
        )
