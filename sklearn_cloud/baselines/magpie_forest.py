"""A random forest on Magpie statistics."""

from sklearn.ensemble import RandomForestRegressor

from ..features.magpie import MagpieFeatures
from .feature_regressor import FeatureRegressor


class MagpieForestRegressor(FeatureRegressor):
    """Random forest on Magpie statistics of the composition.

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
    features_ : MagpieFeatures
    head_ : RandomForestRegressor
        The fitted forest; a `MultiOutputRegressor` of them where ``y`` has several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    See Also
    --------
    MagpieFeatures : The numbers that it looks at.
    GeometryTreesRegressor : Looks at the structure too.

    Notes
    -----
    Takes formulas as well as structures. Close to the RF-SCM/Magpie entry of the MatBench
    leaderboard [1]_, which has a sine Coulomb matrix in addition where there are structures.

    References
    ----------
    .. [1] A. Dunn, Q. Wang, A. Ganose, D. Dopp, A. Jain, "Benchmarking materials property
       prediction methods: the Matbench test set and Automatminer reference algorithm",
       npj Computational Materials 6, 138 (2020). doi:10.1038/s41524-020-00406-3

    Examples
    --------
    >>> from sklearn_cloud.baselines import MagpieForestRegressor
    >>> model = MagpieForestRegressor(n_estimators=10, random_state=0)
    >>> model.fit(["NaCl", "KCl", "NaBr", "KBr"], [8.5, 8.3, 7.3, 7.4]).predict(["LiCl"]).shape
    (1,)
    """

    _takes_formulas = True

    def _features(self):
        return MagpieFeatures(n_jobs=self.n_jobs, verbose=self.verbose)

    def _head(self):
        return RandomForestRegressor(self.n_estimators, random_state=self.random_state)
