"""A random forest on space group and composition."""

from sklearn.ensemble import RandomForestRegressor

from ..features.space_group import SpaceGroupFractions
from .feature_regressor import FeatureRegressor


class SpaceGroupForestRegressor(FeatureRegressor):
    """Random forest on element fractions and space group.

    What is left of a crystal when only its formula and its symmetry are known. Needs no package
    beyond those of sklearn_cloud itself.

    Parameters
    ----------
    n_estimators : int, default=300
        Number of trees.
    symprec : float, default=0.1
        Distance within which sites count as equivalent, in angstrom.
    random_state : int, RandomState instance or None, default=None
        Seed of the forest.
    n_jobs : int, default=None
        Workers that describe crystals and grow trees; None is 1 unless in a
        `joblib.parallel_config` context.
    verbose : int, default=0
        Above 0 shows a progress bar while crystals are described.

    Attributes
    ----------
    features_ : SpaceGroupFractions
    head_ : RandomForestRegressor
        The fitted forest; a `MultiOutputRegressor` of them where ``y`` has several columns.
    n_outputs_ : int or None
        Number of targets; None where ``y`` is one-dimensional.

    Examples
    --------
    >>> from sklearn_cloud.baselines import SpaceGroupForestRegressor
    >>> from sklearn_cloud.datasets import load_example
    >>> crystals, y = load_example(return_X_y=True)
    >>> model = SpaceGroupForestRegressor(n_estimators=10, random_state=0).fit(crystals, y)
    >>> model.predict(crystals).shape == y.shape
    True
    """

    def __init__(self, *, n_estimators=300, symprec=0.1, random_state=None, n_jobs=None, verbose=0):
        super().__init__(
            n_estimators=n_estimators, random_state=random_state, n_jobs=n_jobs, verbose=verbose
        )
        self.symprec = symprec

    def _features(self):
        return SpaceGroupFractions(symprec=self.symprec, n_jobs=self.n_jobs, verbose=self.verbose)

    def _head(self):
        return RandomForestRegressor(self.n_estimators, random_state=self.random_state)
