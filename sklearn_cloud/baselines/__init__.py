"""Other systems behind the same API, to compare with."""

from importlib import import_module

# Some bring torch or an extra: each name is imported when it is first used.
_HOME = {
    "ElementFractions": "composition",
    "GeometryFeatures": "geometry_features",
    "GeometryTreesRegressor": "geometry_trees",
    "MagpieBoostingRegressor": "magpie_boosting",
    "MagpieFeatures": "magpie",
    "MagpieForestRegressor": "magpie",
    "SpaceGroupForestRegressor": "space_group",
    "SpaceGroupFractions": "space_group",
    "VoronoiFeatures": "voronoi",
    "VoronoiForestRegressor": "voronoi",
    "RoostRegressor": "roost",
    "CrabNetRegressor": "crabnet",
    "FinderRegressor": "finder",
    "CGCNNRegressor": "cgcnn",
    "MEGNetRegressor": "megnet",
    "WrenformerRegressor": "wrenformer",
    "MatInFormerRegressor": "matinformer",
    "SlicesBertRegressor": "slices",
    "SlicesStringTransformer": "slices_strings",
    "PotentialFeatures": "potentials",
    "PotentialEnergyRegressor": "potential_energy",
}

__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'sklearn_cloud.baselines' has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__():
    return sorted({*globals(), *_HOME})
