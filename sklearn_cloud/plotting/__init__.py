"""Plots in the style of scikit-learn's displays; they need matplotlib, the extra ``plot``."""

from .applicability_curve import ApplicabilityDisplay
from .attention_map import AttentionDisplay
from .attribution import AttributionDisplay
from .calibration import CalibrationDisplay
from .contribution import ContributionDisplay
from .embedding import EmbeddingDisplay
from .iso_loss import IsoLossDisplay
from .loss_curve import LossCurveDisplay
from .parity import ParityDisplay
from .scaling_curve import ScalingCurveDisplay
from .stability_roc import StabilityROCDisplay

__all__ = [
    "ApplicabilityDisplay",
    "AttentionDisplay",
    "AttributionDisplay",
    "CalibrationDisplay",
    "ContributionDisplay",
    "EmbeddingDisplay",
    "IsoLossDisplay",
    "LossCurveDisplay",
    "ParityDisplay",
    "ScalingCurveDisplay",
    "StabilityROCDisplay",
]
