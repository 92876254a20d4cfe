from .card import PredictorCard as PredictorCard
from .hull_distance import energy_above_hull as energy_above_hull
from .loading import list_predictors as list_predictors
from .loading import load_card as load_card
from .loading import load_predictor as load_predictor
from .predictor import PredictorClassifier as PredictorClassifier
from .predictor import PredictorRegressor as PredictorRegressor
from .property_table import predict_properties as predict_properties
