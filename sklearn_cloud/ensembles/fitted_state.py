"""Checks that the parts of a fitted ensemble fit together, for those read from a file."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ..crystals.crystal import ELEMENT_RANK
from ..symmetry.transformer import SymmetryStringTransformer
from .views import CRYSTALS, VIEWS


def check_ensemble(model):
    """Check the fitted attributes of a `CrystalRegressor` or `CrystalClassifier`.

    Raises
    ------
    ValueError
        If its members, weights, views, errors or training crystals do not fit together.
    """
    numbers = {len(models) for models in model.members_.values()}
    _require(len(numbers) == 1 and 0 not in numbers, "members have different numbers of models")
    _require(set(model.members_) <= set(model.weights_), "a member has no weight")
    weights = _finite(list(model.weights_.values()), "weights", dimensions=1)
    _require((weights >= 0).all() and abs(weights.sum() - 1) < 1e-6, "the weights are not a mean")
    used = {name for name, weight in model.weights_.items() if weight > 0}
    _require(used <= set(model.members_), "a member with a weight is missing")
    _require(used <= set(model.view_of_member_), "a member has no view")
    _check_views(model.views_)
    _require(
        isinstance(model.reads_structures_, bool), "reads_structures_ is neither true nor false"
    )
    known = {*VIEWS, CRYSTALS} if model.reads_structures_ else set(VIEWS)
    _require(set(model.view_of_member_.values()) <= known, "a view is unknown")
    _check_applicability(model.applicability_)
    method = "predict_proba" if is_classifier(model) else "predict"
    for name in used:
        for one in model.members_[name]:
            _require(_is_fitted(one, method), f"the member {name!r} cannot predict")
            same_kind = hasattr(one, "predict_proba") == is_classifier(model)
            _require(same_kind, f"the member {name!r} is of another kind")
    if is_classifier(model):
        classes = np.asarray(model.classes_)
        distinct = len({str(one) for one in classes}) if classes.ndim == 1 else 0
        _require(distinct == len(classes) > 1, "classes_ are not distinct labels")
    else:
        _check_intervals(model, *numbers)


def _check_views(views):
    _require(
        all(isinstance(views[name], list) and views[name] for name in VIEWS), "a view is empty"
    )
    strings = [type(one) is SymmetryStringTransformer for one in views["strings"]]
    _require(strings == [True], "the view of strings is not one SymmetryStringTransformer")
    tables = [hasattr(one, "transform") for one in views["features"]]
    _require(all(tables), "the view of features has other objects than transformers")


def _is_fitted(model, method):
    """Whether a member or a part of it can be called, as far as its attributes tell."""
    if not hasattr(model, method):
        return False
    if not hasattr(model, "fit"):  # frozen trees
        return any(name.endswith("_") for name in vars(model))
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def _check_applicability(applicability):
    vectors = _finite(applicability.vectors_, "vectors_", dimensions=2)
    directions = _finite(applicability.directions_, "directions_", dimensions=2)
    mean = _finite(applicability.mean_, "mean_", dimensions=1)
    reference = _finite(applicability.reference_, "reference_", dimensions=1)
    _require(directions.shape == (len(mean), vectors.shape[1]), "directions_ has another shape")
    _require(len(vectors) > 0 and len(reference) > 0, "there are no training crystals")
    _require((np.diff(reference) >= 0).all(), "reference_ is not sorted")
    elements = applicability.elements_
    _require(isinstance(elements, list) and elements, "elements_ is not a list of elements")
    _require(set(elements) <= set(ELEMENT_RANK), "elements_ has other words")
    neighbors = applicability.n_neighbors
    _require(isinstance(neighbors, Integral) and neighbors > 0, "n_neighbors is not positive")
    _require(isinstance(applicability.encoder_sha256_, str), "encoder_sha256_ is not a checksum")


def _check_intervals(model, n_models):
    scores = _finite(model.scores_, "scores_", dimensions=1)
    folds = np.asarray(model.fold_of_score_)
    _require(_is_fitted(model.difficulty_.model_, "predict"), "difficulty_ cannot predict")
    _require(len(scores) > 0 and (scores >= 0).all(), "scores_ are not errors")
    _require(folds.shape == scores.shape and folds.dtype.kind in "iu", "fold_of_score_ is wrong")
    # a single model was fitted on all folds
    _require(n_models == 1 or 0 <= folds.min() <= folds.max() < n_models, "a fold has no model")
    floor = _finite(model.difficulty_.floor_, "floor_", dimensions=0)
    error = _finite(model.expected_error_, "expected_error_", dimensions=0)
    _require(floor > 0 and error >= 0, "an error is negative")


def _finite(values, name, dimensions):
    values = np.asarray(values)
    numeric = values.dtype.kind in "fiu" and values.ndim == dimensions
    _require(numeric and np.isfinite(values).all(), f"{name} are not finite numbers")
    return values


def _require(holds, problem):
    if not holds:
        raise ValueError(f"the fitted ensemble is damaged: {problem}")
