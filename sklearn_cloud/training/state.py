"""Versions of what a fitted estimator is made of, and how older ones are read."""

from importlib.metadata import version

import numpy as np

from .._version import __version__
from .targets import ClassTargets, RegressionTargets

STATE_VERSION = 2


def versions():
    """Versions that a saved estimator is stamped with."""
    packages = ("scikit-learn", "torch", "transformers", "skorch")
    return {
        "state": STATE_VERSION,
        "sklearn-cloud": __version__,
        **{name: version(name) for name in packages},
    }


def upgrade(fitted, saved_by, name):
    """Fitted attributes as this version names them.

    Parameters
    ----------
    fitted : dict
        Attributes by name; changed in place.
    saved_by : dict
        What `versions` gave when they were saved.
    name : str
        Class of the estimator, for the message.

    Raises
    ------
    ValueError
        If they were saved by a version that is not known here.
    """
    if saved_by["state"] not in (1, STATE_VERSION):
        raise ValueError(
            f"This {name} was saved by unknown versions {saved_by}: update sklearn-cloud."
        )
    if saved_by["state"] == STATE_VERSION:
        return
    # Version 1 had the targets' statistics among the attributes of the estimator.
    if "classes_" in fitted:
        targets = ClassTargets()
        targets.classes = fitted.pop("classes_")
    elif "target_mean_" in fitted:
        targets = RegressionTargets()
        targets.mean, targets.scale = fitted.pop("target_mean_"), fitted.pop("target_scale_")
        targets.constant = np.zeros(len(targets.mean), dtype=bool)
        targets.one_dimensional = fitted.pop("_one_dimensional")
        targets.n_outputs, targets.gaps = len(targets.mean), False
    else:
        return
    fitted["targets_"] = targets
