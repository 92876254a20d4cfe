"""Features of crystals."""

from ..lazy import lazy_names

# Some need torch or an extra, so each name is imported at first use.
_HOMES = {
    "BondFeatures": "bond_features",
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
