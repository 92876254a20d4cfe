"""Ready-made predictors: properties of crystals in one line, without training data."""

from ..lazy import lazy_names

_HOMES = {
    "PredictorCard": "card",
    "PredictorClassifier": "predictor",
    "PredictorRegressor": "predictor",
    "energy_above_hull": "hull_distance",
    "list_predictors": "loading",
    "load_card": "loading",
    "load_predictor": "loading",
    "predict_properties": "property_table",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
