"""Crystals to numbers."""

from ..lazy import lazy_names

# Some bring torch or an extra: each name is imported when it is first used.
_HOMES = {
    "ElementFractions": "element_fractions",
    "GeometryFeatures": "geometry_features",
    "MagpieFeatures": "magpie",
    "PotentialFeatures": "potentials",
    "PotentialPhysics": "physics",
    "SpaceGroupFractions": "space_group",
    "VoronoiFeatures": "voronoi",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
