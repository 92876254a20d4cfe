"""Make a fitted ensemble small: what predicts is kept, what was needed to fit is dropped."""

import copy

import numpy as np
import torch
from sklearn.base import clone
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from ..training.estimator import NetEstimator
from .frozen_trees import freeze_trees

_MOST_SCORES = 2000
_TREES = (ExtraTreesRegressor, HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def compact(ensemble):
    """Return a small copy of a fitted ensemble.

    Trees become arrays, weights of networks are rounded to float16, of many calibration scores
    quantiles are kept, and out-of-fold predictions and folds are dropped.

    Parameters
    ----------
    ensemble : CrystalRegressor or CrystalClassifier
        Fitted, with one model of each member.

    Returns
    -------
    CrystalRegressor or CrystalClassifier
    """
    small = copy.copy(ensemble)
    small.cv, small.device, small.n_jobs, small.verbose = 5, None, None, 0
    small.members = tuple(small.members)
    small.members_ = {
        name: [_compact_model(model) for model in models]
        for name, models in ensemble.members_.items()
        if ensemble.weights_[name] > 0
    }
    small.view_of_member_ = {name: ensemble.view_of_member_[name] for name in small.members_}
    small.views_ = {
        name: [clone(one).set_params(n_jobs=None, verbose=0) for one in transformers]
        for name, transformers in ensemble.views_.items()
    }
    for name in ("oof_predictions_", "oof_probabilities_"):
        vars(small).pop(name, None)
    if hasattr(ensemble, "difficulty_"):
        small.difficulty_ = copy.copy(ensemble.difficulty_)
        small.difficulty_.model_ = freeze_trees(ensemble.difficulty_.model_)
        small.scores_ = _quantiles(ensemble.scores_)
        small.fold_of_score_ = np.zeros(len(small.scores_), dtype=np.uint8)
    return small


def _compact_model(model):
    if isinstance(model, NetEstimator):
        return _round_network(model)
    if isinstance(model, _TREES):
        return freeze_trees(model)
    return model


def _round_network(model):
    """Return a copy of a network, on any device, with weights that float16 can express."""
    rounded = copy.deepcopy(model).set_params(device=None)
    with torch.no_grad():
        for weights in rounded.net_.module_.parameters():
            weights.copy_(weights.half().to(weights.dtype))
    return rounded


def _quantiles(scores):
    """Return at most `_MOST_SCORES` of the sorted scores, evenly spaced, the largest one last."""
    scores = np.sort(scores)
    if len(scores) > _MOST_SCORES:
        ranks = np.ceil(np.arange(1, _MOST_SCORES + 1) * len(scores) / _MOST_SCORES).astype(int)
        scores = scores[ranks - 1]
    # not rounded down, so that no interval gets narrower
    return np.nextafter(scores.astype(np.float32), np.float32(np.inf))
