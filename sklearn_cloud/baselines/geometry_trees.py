"""Extra-trees on Magpie statistics and plain geometry numbers."""

from numbers import Integral

from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_union

from .._compat import Interval
from ..features.geometry_features import GeometryFeatures
from ..features.magpie import MagpieFeatures
from .feature_regressor import FeatureRegressor


class GeometryTreesRegressor(FeatureRegressor):
    """Extremely randomised trees on Magpie statistics and 14 plain numbers of the geometry.

    The rival to take seriously: no training to speak of, seconds on a laptop, and on small
    tables hard to beat by a network.

    Parameters
    ----------
    n_estimators : int, default=300
        Number of trees.
    min_samples_leaf : int, default=1
        Fewest training rows in a leaf; more than one smooths over noisy targets.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
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
        `MagpieFeatures` and `GeometryFeatures`.
    head_ : ExtraTreesRegressor
        The fitted trees; a `MultiOutputRegressor` of them where ``y`` has several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    See Also
    --------
    MagpieForestRegressor : Knows the composition only.

    Examples
    --------
    >>> from sklearn_cloud.baselines import GeometryTreesRegressor
    >>> from sklearn_cloud.datasets import load_example
    >>> crystals, y = load_example(return_X_y=True)
    >>> model = GeometryTreesRegressor(n_estimators=10, random_state=0).fit(crystals, y)
    >>> model.predict(crystals).shape == y.shape
    True
    """

    _parameter_constraints = {
        **FeatureRegressor._parameter_constraints,
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        n_estimators=300,
        min_samples_leaf=1,
        symprec=0.1,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        super().__init__(
            n_estimators=n_estimators, random_state=random_state, n_jobs=n_jobs, verbose=verbose
        )
        self.min_samples_leaf = min_samples_leaf
        self.symprec = symprec

    def _features(self):
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        return make_union(
            MagpieFeatures(**options), GeometryFeatures(symprec=self.symprec, **options)
        )

    def _head(self):
        return ExtraTreesRegressor(
            self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
        )
