"""Checks of the parameters of a pre-training."""

import json
import math
from numbers import Integral, Real

import numpy as np

_COUNTS = ("epochs", "batch_size", "device_batch_size", "evaluations", "save_steps")
_SHARES = ("warmup_ratio", "held_out", "mask_probability")
_POSITIVE = ("learning_rate", "mask_probability")
_NOT_NEGATIVE = ("geometry_weight", "weight_decay")


def check_parameters(values):
    """Check the numbers of a pre-training.

    Parameters
    ----------
    values : dict
        By name; what is no number of a pre-training is not checked.

    Returns
    -------
    dict
        The same with numbers of Python instead of NumPy, which JSON can express.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    values = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
    for name in _COUNTS:
        _check(name, values, Integral, lambda value: value >= 1, "a positive integer")
    for name in _SHARES:
        _check(name, values, Real, lambda value: 0 <= value < 1, "in [0, 1)")
    for name in _POSITIVE:
        _check(name, values, Real, lambda value: 0 < value < math.inf, "positive")
    for name in _NOT_NEGATIVE:
        _check(name, values, Real, lambda value: 0 <= value < math.inf, "zero or positive")
    # no generator or None: a training that resumes needs the same random numbers
    seed = "an integer from 0 to 2**32 - 1"
    _check("random_state", values, Integral, lambda value: 0 <= value < 2**32, seed)
    return values


def _check(name, values, kind, fits, what):
    if name not in values:
        return
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, kind) or not fits(value):
        raise ValueError(f"{name} must be {what}, got {value!r}.")


def check_metadata(metadata):
    """Raise TypeError unless this is None or a dictionary that JSON can express.

    The training would otherwise fail at its end, when it is saved.
    """
    if metadata is not None and not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dictionary or None, got {metadata!r}.")
    try:
        json.dumps(metadata)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(
            f"metadata cannot be saved as JSON ({error}): use dictionaries, lists, text and "
            "numbers of Python only."
        ) from error
