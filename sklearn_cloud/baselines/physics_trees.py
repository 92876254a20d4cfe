"""Extra-trees on composition, geometry, and physics computed with a potential."""

from collections.abc import Sequence
from numbers import Integral

from sklearn.ensemble import ExtraTreesRegressor
from sklearn.pipeline import make_union

from .._compat import Interval, StrOptions
from ..ensembles.mean_of_ratios import MeanOfRatios
from ..features.geometry_features import GeometryFeatures
from ..features.magpie import MagpieFeatures
from ..features.physics import PotentialPhysics
from .feature_regressor import FeatureRegressor


class PhysicsTreesRegressor(FeatureRegressor):
    """Trees on Magpie statistics, geometry, and phonons and moduli of a potential.

    What a potential computes of a crystal is close to many properties, but not the same: too soft,
    without the electrons. The trees learn what is missing. Where some of the computed numbers are
    first guesses of the target, name them as `references`: the trees then learn the logarithm of
    the target and of its ratio to each of them, and the mean is predicted.

    Parameters
    ----------
    potential : str, default="chgnet"
        As in `PotentialPhysics`: ``pip install 'sklearn-cloud[baselines,physics,chgnet]'``, or
        ``sevennet``, ``matgl`` or ``mace`` in the place of ``chgnet``.
    weights : str or path, default=None
        File or folder with weights of one's own, as in `PotentialPhysics`.
    trust_weights : bool, default=False
        Whether weights may be a pickle, as those of MACE are, which **can run any code**.
    properties : sequence of str, default=("energy", "phonons", "moduli")
        What the potential computes, as in `PotentialPhysics`.
    references : sequence of str, default=()
        Numbers of `PotentialPhysics` that are first guesses of the target, without the name of the
        potential: ``"zone highest frequency"``, ``"bulk modulus (Voigt)"``.
    scale : {"linear", "log10"}, default="linear"
        `"log10"` says that ``y`` is the decimal logarithm of a quantity, to whose unit the
        references belong.
    n_estimators : int, default=300
        Number of trees; so many for each reference.
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
    head_ : MeanOfRatios
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
        "references": [Sequence],
        "scale": [StrOptions({"linear", "log10"})],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        **{
            name: PotentialPhysics._parameter_constraints[name]
            for name in ("potential", "weights", "trust_weights", "properties", "cache", "device")
        },
    }

    def __init__(
        self,
        potential="chgnet",
        *,
        weights=None,
        trust_weights=False,
        properties=("energy", "phonons", "moduli"),
        references=(),
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
        self.weights = weights
        self.trust_weights = trust_weights
        self.properties = properties
        self.references = references
        self.scale = scale
        self.min_samples_leaf = min_samples_leaf
        self.symprec = symprec
        self.cache = cache
        self.device = device

    def _features(self):
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        physics = PotentialPhysics(
            self.potential,
            weights=self.weights,
            trust_weights=self.trust_weights,
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
        return MeanOfRatios(trees, columns=self._reference_columns(), scale=self.scale)

    def _reference_columns(self):
        """Columns of the references, counted from the last one."""
        names = PotentialPhysics(self.potential, properties=self.properties).column_names()
        wrong = [name for name in self.references if name not in names]
        if wrong or isinstance(self.references, str):
            raise ValueError(
                f"references={self.references!r} must be a list of some of the features of "
                f"properties={self.properties!r}: {names}"
            )
        return [names.index(name) - len(names) for name in self.references]
