"""Classes that a saved model may contain."""

from importlib import import_module

#: Meta-estimators of scikit-learn, whose components are written one by one.
COMPOSITES = {
    "BaggingClassifier": "sklearn.ensemble",
    "BaggingRegressor": "sklearn.ensemble",
    "ColumnTransformer": "sklearn.compose",
    "FeatureUnion": "sklearn.pipeline",
    "FunctionTransformer": "sklearn.preprocessing",
    "MultiOutputClassifier": "sklearn.multioutput",
    "MultiOutputRegressor": "sklearn.multioutput",
    "Pipeline": "sklearn.pipeline",
    "StackingClassifier": "sklearn.ensemble",
    "StackingRegressor": "sklearn.ensemble",
    "TransformedTargetRegressor": "sklearn.compose",
    "VotingClassifier": "sklearn.ensemble",
    "VotingRegressor": "sklearn.ensemble",
}
#: Packages whose public estimators can be saved; earlier ones have priority.
PACKAGES = ("sklearn_cloud", "sklearn_cloud.features", "sklearn_cloud.baselines")
#: Only inside other estimators.
INNER = {
    "Applicability": "sklearn_cloud.ensembles.applicability",
    "Difficulty": "sklearn_cloud.ensembles.intervals",
    "ElementReferences": "sklearn_cloud.baselines.potential_energy",
    "FrozenTrees": "sklearn_cloud.predictors.frozen_trees",
    "FrozenTreesClassifier": "sklearn_cloud.predictors.frozen_trees",
    "MeanOfRatios": "sklearn_cloud.ensembles.mean_of_ratios",
    "PhysicsRatios": "sklearn_cloud.ensembles.physics_ratios",
}


def find_part(name):
    """Return the class of that name, or None.

    Only modules named by this package and the table above are imported.
    """
    from sklearn.base import BaseEstimator

    homes = [COMPOSITES.get(name), INNER.get(name)]
    homes += [package for package in PACKAGES if name in import_module(package).__all__]
    for home in filter(None, homes):
        part = getattr(import_module(home), name)
        if isinstance(part, type) and issubclass(part, BaseEstimator):
            return part
    return None


def is_part(value):
    """Whether a value is an estimator of this package or a meta-estimator of scikit-learn."""
    kind = type(value)
    return find_part(kind.__name__) is kind
