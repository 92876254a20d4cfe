"""Members of an ensemble: models and their views of the crystals."""

from typing import NamedTuple

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from ..estimators.classifier import CloudClassifier
from ..estimators.cloud import affordable_epochs
from ..estimators.graph_regressor import GraphClassifier, GraphRegressor
from ..estimators.regressor import CloudRegressor
from .physics_ratios import PhysicsRatios
from .views import CRYSTALS

EFFORTS = ("fast", "default", "best")
#: Names of all members.
REGRESSION_MEMBERS = (
    "extra-trees",
    "extra-trees (log)",
    "extra-trees (physics)",
    "boosting",
    "boosting (physics)",
    "support vectors",
    "support vectors (log)",
    "CLOUD mini",
    "CLOUD small",
    "graph network",
)
CLASSIFICATION_MEMBERS = (
    "extra-trees",
    "boosting",
    "support vectors",
    "CLOUD mini",
    "graph network",
)
_KERNEL_ROWS = 6000  # above this, a kernel method is not worth its cost
_MANY_EQUAL = 0.2  # share of equal targets above which a median is no useful step
_BATCH = 32


class Member(NamedTuple):
    """A member of an ensemble.

    Attributes
    ----------
    name : str
    view : {"strings", "features", "crystals"}
    estimator : estimator
        Unfitted.
    """

    name: str
    view: str
    estimator: object


def check_members(members, known, n_rows):
    """Raise ValueError if names of members are unknown or repeated, or there are none."""
    if members is None:
        return
    members = list(members)
    if not members:
        raise ValueError("members is empty: name at least one, or pass None.")
    for name in members:
        if name not in known:
            raise ValueError(f"unknown member {name!r}: choose from {', '.join(known)}.")
    if len(set(members)) < len(members):
        raise ValueError(f"members has a name twice: {members}.")


def regression_members(
    effort, y, *, members, structures=True, n_physics=0, random_state, device, n_jobs
):
    """Return the members of a regressor.

    Parameters
    ----------
    effort : {"fast", "default", "best"}
    y : ndarray of shape (n_rows,)
        Targets; members with a logarithmic target need positive ones.
    members : sequence of str or None
        Names from `REGRESSION_MEMBERS`; None means all that `effort` allows.
    structures : bool
        Whether there are structures; without them, there is no network on graphs.
    n_physics : int
        Number of the last features that a potential has computed.
    random_state : int
    device : str or None
    n_jobs : int or None

    Returns
    -------
    list of Member

    Raises
    ------
    ValueError
        If a member with a logarithmic target or with ratios is asked for, but a target is not
        positive, or one with ratios without physics, or one on graphs without structures.
    """
    positive = y.min() > 0
    if members is None:
        networks = {"fast": (), "default": ("mini",), "best": ("mini", "small")}[effort]
        members = ["extra-trees", "boosting", *(["support vectors"] * (len(y) <= _KERNEL_ROWS))]
        if positive:
            members += [f"{name} (log)" for name in members if name != "boosting"]
        if positive and n_physics:
            members += ["extra-trees (physics)", "boosting (physics)"]
        members += [f"CLOUD {name}" for name in networks]
        if effort != "fast" and structures:
            members.append("graph network")
    elif not positive and any("(log)" in name or "(physics)" in name for name in members):
        raise ValueError(
            "members with '(log)' or '(physics)' need positive targets, but the smallest is "
            f"{y.min():g}."
        )
    elif not n_physics and any("(physics)" in name for name in members):
        raise ValueError("members with '(physics)' need physics=PotentialPhysics(...).")
    _check_structures(members, structures)
    networks = _networks(CloudRegressor, len(y), device, random_state)
    networks["graph network"] = _graph_network(GraphRegressor, effort, len(y), device, random_state)
    models = {
        "extra-trees": ExtraTreesRegressor(
            300, max_features=0.5, n_jobs=n_jobs, random_state=random_state
        ),
        "boosting": _boosting(y, random_state),
        "support vectors": TransformedTargetRegressor(
            make_pipeline(SimpleImputer(), StandardScaler(), SVR(C=10.0, epsilon=0.02)),
            transformer=StandardScaler(),
        ),
    }
    on_log = {f"{name} (log)": _on_log(model) for name, model in models.items()}
    ratios = {
        f"{name} (physics)": PhysicsRatios(model, n_columns=n_physics)
        for name, model in models.items()
    }
    models |= on_log | ratios
    return [_member(name, models | networks) for name in REGRESSION_MEMBERS if name in members]


def classification_members(effort, y, *, members, structures=True, random_state, device, n_jobs):
    """Return the members of a classifier; parameters and result as in `regression_members`."""
    if members is None:
        members = ["extra-trees", "boosting"]
        if effort == "best" and len(y) <= _KERNEL_ROWS:
            members.append("support vectors")
        if effort != "fast":
            members.append("CLOUD mini")
            members += ["graph network"] * structures
    _check_structures(members, structures)
    models = {
        "extra-trees": ExtraTreesClassifier(
            300, min_samples_leaf=2, n_jobs=n_jobs, random_state=random_state
        ),
        "boosting": HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=300,
            max_features=0.5,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=random_state,
        ),
        "support vectors": make_pipeline(
            SimpleImputer(),
            StandardScaler(),
            CalibratedClassifierCV(SVC(C=10.0), cv=3, ensemble=False),
        ),
    }
    networks = _networks(CloudClassifier, len(y), device, random_state, most_epochs=20)
    networks["graph network"] = _graph_network(
        GraphClassifier, effort, len(y), device, random_state
    )
    return [_member(name, models | networks) for name in CLASSIFICATION_MEMBERS if name in members]


def _check_structures(members, structures):
    if "graph network" in members and not structures:
        raise ValueError("the member 'graph network' needs structures, but X has compositions.")


def _member(name, models):
    views = {"CLOUD mini": "strings", "CLOUD small": "strings", "graph network": CRYSTALS}
    return Member(name, views.get(name, "features"), models[name])


def _networks(kind, n_rows, device, random_state, **budget):
    """Return {name: network} of the encoders; the number of epochs is lower for large tables."""
    epochs = affordable_epochs(n_rows, _BATCH, **budget)
    options = {"validation_fraction": 0, "device": device, "random_state": random_state}
    return {
        f"CLOUD {encoder}": kind(encoder, max_epochs=epochs, **options)
        for encoder in ("mini", "small")
    }


def _graph_network(kind, effort, n_rows, device, random_state):
    """Return a graph network; with "best", it is trained for twice as many epochs."""
    epochs = affordable_epochs(n_rows, _BATCH, 200, 32_000) if effort == "best" else "auto"
    return kind(max_epochs=epochs, device=device, random_state=random_state)


def _boosting(y, random_state):
    """Gradient boosting; more and larger trees for large tables.

    The loss is the absolute error, or the squared one if many targets are equal, such as the band
    gaps of metals: the median of a leaf would hardly move from that value.
    """
    large = len(y) > _KERNEL_ROWS
    most_frequent = np.unique(y, return_counts=True)[1].max() / len(y)
    return HistGradientBoostingRegressor(
        loss="squared_error" if most_frequent > _MANY_EQUAL else "absolute_error",
        learning_rate=0.05,
        max_iter=1500 if large else 600,
        max_leaf_nodes=31 if large else 15,
        min_samples_leaf=5,
        max_features=0.5,
        early_stopping=False,
        random_state=random_state,
    )


def _on_log(estimator):
    return TransformedTargetRegressor(estimator, func=np.log, inverse_func=np.exp)
