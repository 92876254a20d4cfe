"""Other systems behind the same API, to compare with."""

from ..lazy import lazy_names

# Some bring torch or an extra: each name is imported when it is first used.
_HOMES = {
    "GeometryTreesRegressor": "geometry_trees",
    "MagpieBoostingRegressor": "magpie_boosting",
    "MagpieForestRegressor": "magpie_forest",
    "SpaceGroupForestRegressor": "space_group_forest",
    "VoronoiForestRegressor": "voronoi_forest",
    "RoostRegressor": "roost",
    "CrabNetRegressor": "crabnet",
    "FinderRegressor": "finder",
    "CGCNNRegressor": "cgcnn",
    "MEGNetRegressor": "megnet",
    "WrenformerRegressor": "wrenformer",
    "MatInFormerRegressor": "matinformer",
    "SlicesBertRegressor": "slices",
    "SlicesStringTransformer": "slices_strings",
    "PotentialEnergyRegressor": "potential_energy",
    "PhysicsTreesRegressor": "physics_trees",
    # in the room `features` now, and still found here
    "ElementFractions": "..features.element_fractions",
    "GeometryFeatures": "..features.geometry",
    "MagpieFeatures": "..features.magpie",
    "PotentialFeatures": "..features.potentials",
    "SpaceGroupFractions": "..features.space_group",
    "VoronoiFeatures": "..features.voronoi",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
