"""Values as JSON has them."""

import math

import numpy as np


def records(frame):
    """Return the rows as dictionaries, with None for missing numbers."""
    return plain(frame.astype(object).to_dict("records"))


def plain(value):
    """Return a value as JSON has it: None for NaN, the repr of other objects."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else repr(value)
