"""A random forest on Voronoi features."""

from sklearn.ensemble import RandomForestRegressor

from ..features.voronoi import VoronoiFeatures
from .feature_regressor import FeatureRegressor


class VoronoiForestRegressor(FeatureRegressor):
    """Random forest on the Voronoi tessellation features of Ward et al.: "Voronoi RF".

    Parameters
    ----------
    n_estimators : int, default=300
        Number of trees.
    random_state : int, RandomState instance or None, default=None
        Seed of the forest.
    n_jobs : int, default=None
        Workers that describe crystals and grow trees; None is 1 unless in a
        `joblib.parallel_config` context.
    verbose : int, default=0
        Above 0 shows a progress bar while crystals are described.

    Attributes
    ----------
    features_ : VoronoiFeatures
    head_ : RandomForestRegressor
        The fitted forest; a `MultiOutputRegressor` of them where ``y`` has several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    See Also
    --------
    GeometryTreesRegressor : Plainer numbers, computed faster.

    References
    ----------
    .. [1] L. Ward et al., "Including crystal structure attributes in machine learning models of
       formation energies via Voronoi tessellations", Physical Review B 96, 024104 (2017).
       doi:10.1103/PhysRevB.96.024104

    Examples
    --------
    >>> from sklearn_cloud.baselines import VoronoiForestRegressor
    >>> from sklearn_cloud.datasets import load_example
    >>> crystals, y = load_example(return_X_y=True)
    >>> model = VoronoiForestRegressor(n_estimators=10, random_state=0)
    >>> model.fit(crystals[:20], y[:20]).predict(crystals[20:22]).shape
    (2,)
    """

    def _features(self):
        return VoronoiFeatures(n_jobs=self.n_jobs, verbose=self.verbose)

    def _head(self):
        return RandomForestRegressor(self.n_estimators, random_state=self.random_state)
