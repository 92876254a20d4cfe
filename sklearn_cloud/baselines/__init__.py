"""Other models with the same API, for comparison."""

from ..lazy import lazy_names
from .registry import class_homes

# Some bring torch or an extra: each name is imported when it is first used.
_HOMES = {
    **class_homes(),
    "MatInFormerLanguage": "matinformer_words",
    "SlicesLanguage": "slices",
    "SlicesStringTransformer": "slices_strings",
}
# They moved to `sklearn_cloud.features`, and can still be imported from here.
_MOVED = {
    "ElementFractions": "..features.element_fractions",
    "GeometryFeatures": "..features.geometry_features",
    "MagpieFeatures": "..features.magpie",
    "PotentialFeatures": "..features.potentials",
    "SpaceGroupFractions": "..features.space_group",
    "VoronoiFeatures": "..features.voronoi",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, {**_HOMES, **_MOVED})
