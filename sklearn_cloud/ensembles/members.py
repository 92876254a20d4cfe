"""Members of an ensemble: models and their views of the crystals."""

from typing import NamedTuple

import numpy as np
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
from ..estimators.regressor import CloudRegressor

EFFORTS = ("fast", "default", "best")
_KERNEL_ROWS = 6000  # above this, a kernel method is not worth its cost
_NETWORK_STEPS = 25_000  # roughly affordable for a fold of 100,000 rows on a laptop
_BATCH = 32


class Member(NamedTuple):
    """A member of an ensemble.

    Attributes
    ----------
    name : str
    view : {"strings", "features"}
    estimator : estimator
        Unfitted.
    """

    name: str
    view: str
    estimator: object


def regression_members(effort, y, *, random_state, device, n_jobs, verbose):
    """Return the members of a regressor.

    Parameters
    ----------
    effort : {"fast", "default", "best"}
    y : ndarray of shape (n_rows,)
        Targets; if all are positive, members with a logarithmic target are added.
    random_state : int
    device : str or None
    n_jobs : int or None
    verbose : int

    Returns
    -------
    list of Member
    """
    trees = ExtraTreesRegressor(300, n_jobs=n_jobs, random_state=random_state)
    members = [
        Member("extra-trees", "features", trees),
        Member("boosting", "features", _boosting(random_state)),
    ]
    positive = y.min() > 0
    if positive:
        members.append(Member("extra-trees (log)", "features", _on_log(trees)))
    if len(y) <= _KERNEL_ROWS:
        kernel = make_pipeline(SimpleImputer(), StandardScaler(), SVR(C=10.0, epsilon=0.02))
        kernel = TransformedTargetRegressor(kernel, transformer=StandardScaler())
        members.append(Member("support vectors", "features", kernel))
        if positive:
            members.append(Member("support vectors (log)", "features", _on_log(kernel)))
    if effort != "fast":
        encoders = ["mini"] if effort == "default" else ["mini", "small"]
        for encoder in encoders:
            network = CloudRegressor(
                encoder,
                max_epochs=_epochs(len(y)),
                validation_fraction=0,
                device=device,
                random_state=random_state,
                verbose=verbose,
            )
            members.append(Member(f"CLOUD {encoder}", "strings", network))
    return members


def classification_members(effort, y, *, random_state, device, n_jobs, verbose):
    """Return the members of a classifier; parameters and result as in `regression_members`."""
    members = [
        Member(
            "extra-trees",
            "features",
            ExtraTreesClassifier(300, min_samples_leaf=2, n_jobs=n_jobs, random_state=random_state),
        ),
        Member(
            "boosting",
            "features",
            HistGradientBoostingClassifier(
                learning_rate=0.05, max_iter=300, l2_regularization=1.0, random_state=random_state
            ),
        ),
    ]
    if effort == "best" and len(y) <= _KERNEL_ROWS:
        kernel = SVC(C=10.0, probability=True, random_state=random_state)
        kernel = make_pipeline(SimpleImputer(), StandardScaler(), kernel)
        members.append(Member("support vectors", "features", kernel))
    if effort != "fast":
        network = CloudClassifier(
            max_epochs=min(20, _epochs(len(y))),
            validation_fraction=0,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        members.append(Member("CLOUD mini", "strings", network))
    return members


def _boosting(random_state):
    return HistGradientBoostingRegressor(
        loss="absolute_error",
        learning_rate=0.05,
        max_iter=600,
        max_leaf_nodes=15,
        min_samples_leaf=5,
        random_state=random_state,
    )


def _on_log(estimator):
    return TransformedTargetRegressor(estimator, func=np.log, inverse_func=np.exp)


def _epochs(n_rows):
    """Return the number of epochs: 50 for small tables, fewer for large ones."""
    return int(np.clip(_NETWORK_STEPS * _BATCH // n_rows, 4, 50))
