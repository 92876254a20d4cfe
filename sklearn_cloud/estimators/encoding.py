"""Fitted estimators as JSON, arrays and skops files.

Values that JSON cannot express directly are objects with a "type":

- "tuple", "dict" (as pairs, since keys may be numbers), "bunch", "slice", "float" (NaN and the
  infinities), "scalar" and "array" (of NumPy), "path", "ufunc", "device";
- "splitter": a cross-validator of scikit-learn, by its parameters;
- "estimator": a class known to `parts`, its parameters and its state; "same": an estimator that
  was written before;
- "config", "graph config", "targets", "tokenizer": components of the estimators of this package;
- "skops": any other object, in its own file, see `skops_files`.
"""

import inspect
import math
from dataclasses import asdict
from pathlib import PurePath

import numpy as np
import torch
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.utils import Bunch

from ..encoder.config import EncoderConfig
from ..encoder.original_format import OriginalTokenizer
from ..encoder.tokenizer import SymmetryTokenizer
from ..exceptions import shorten
from ..graphs.graph_config import GraphConfig
from ..training.targets import TARGETS
from .parts import is_part
from .skops_files import dump_skops

#: Arrays of up to this many numbers are written to the JSON.
SMALL = 64
#: Kinds of arrays that safetensors supports.
NUMERIC = "biuf"
#: Cross-validators, whose attributes are the parameters they are made from.
SPLITTERS = {
    kind.__name__: kind
    for kind in (
        KFold, StratifiedKFold, GroupKFold, StratifiedGroupKFold, TimeSeriesSplit, ShuffleSplit,
        StratifiedShuffleSplit, GroupShuffleSplit, LeaveOneGroupOut, LeaveOneOut, PredefinedSplit,
    )
}  # fmt: skip


class Encoder:
    """Encode a fitted estimator as JSON.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Content of the safetensors file.
    blobs : list of bytes
        Contents of the skops files.
    """

    def __init__(self):
        self.arrays, self.blobs = {}, []
        self._known = {}

    def encode(self, value, name):
        """Encode a value as JSON.

        Parameters
        ----------
        value : object
        name : str
            Its place in the model, for messages and the names of arrays.

        Raises
        ------
        TypeError
            If it cannot be saved without pickle.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"type": "float", "value": str(value)}
        if type(value) is list:
            return self._items(value, name)
        writer = _find_writer(value)
        if writer is not None:
            return writer(self, value, name)
        if is_part(value):
            return self._estimator(value, name)
        if hasattr(value, "_why_not_saved"):
            raise TypeError(f"{name} cannot be saved: {value._why_not_saved()}")
        try:
            self.blobs.append(dump_skops(value, name))
        except TypeError as error:
            if not name.endswith(".cv"):
                raise
            raise TypeError(
                f"{name}={shorten(repr(value))} cannot be saved, and predictions do not need it: "
                "set this parameter to None before saving, or fit with an integer, a list of "
                f"folds or one of {', '.join(SPLITTERS)}."
            ) from error
        return {"type": "skops", "file": len(self.blobs) - 1}

    def _items(self, values, name):
        return [self.encode(value, f"{name}.{i}") for i, value in enumerate(values)]

    def _named(self, values, name):
        return {key: self.encode(value, f"{name}.{key}") for key, value in values.items()}

    def _pairs(self, values, name):
        return [[self.encode(k, name), self.encode(v, f"{name}.{k}")] for k, v in values.items()]

    def _array(self, array, name):
        if array.dtype.kind in NUMERIC and array.dtype.isnative and array.size > SMALL:
            stored = _narrow(array)
            self.arrays[name] = np.ascontiguousarray(stored)
            node = {"type": "array", "name": name}
            return node if stored is array else {**node, "dtype": array.dtype.str}
        values = self._items(array.ravel().tolist(), name)
        return {"type": "array", "dtype": array.dtype.str, "shape": array.shape, "values": values}

    def _estimator(self, estimator, name):
        if id(estimator) in self._known:
            return {"type": "same", "id": self._known[id(estimator)][0]}
        # The estimator is kept alive, so that no other one gets its id.
        self._known[id(estimator)] = len(self._known), estimator
        check_parameters(estimator)
        params = estimator.get_params(deep=False)
        state = {k: v for k, v in estimator.__getstate__().items() if k not in params}
        return {
            "type": "estimator",
            "class": type(estimator).__name__,
            "id": self._known[id(estimator)][0],
            "params": self._named(params, name),
            "state": self._named(state, name),
        }


def _narrow(array):
    """Return a float32 array as float16 if this changes no value, else the array."""
    if array.dtype != np.float32:
        return array
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float16)
    return narrow if np.array_equal(narrow, array, equal_nan=True) else array


def check_parameters(estimator):
    """Validate the parameters of an estimator that can be checked before `fit`."""
    if getattr(estimator, "_parameter_constraints", None):
        estimator._validate_params()
    elif hasattr(estimator, "_check_parameters"):
        estimator._check_parameters()


def _find_writer(value):
    if isinstance(value, PurePath):
        return _write_path
    if isinstance(value, np.generic):
        return _write_scalar
    return WRITERS.get(type(value))


def _write_path(encoder, value, name):
    return {"type": "path", "value": str(value)}


def _write_scalar(encoder, value, name):
    return {"type": "scalar", "array": encoder._array(np.asarray(value), name)}


def _write_tokenizer(encoder, value, name):
    return {"type": "tokenizer", "class": type(value).__name__, **value.describe()}


def _write_targets(encoder, value, name):
    state = encoder._named(vars(value), name)
    return {"type": "targets", "class": type(value).__name__, "state": state}


def _write_splitter(encoder, value, name):
    params = {key: getattr(value, key) for key in inspect.signature(type(value)).parameters}
    return {
        "type": "splitter",
        "class": type(value).__name__,
        "params": encoder._named(params, name),
    }


def _write_ufunc(encoder, value, name):
    import scipy.special

    for module in (np, scipy.special):
        if getattr(module, value.__name__, None) is value:
            return {"type": "ufunc", "name": f"{module.__name__}.{value.__name__}"}
    raise TypeError(
        f"{name}={value!r} cannot be saved: it is not a ufunc of numpy or scipy.special."
    )


WRITERS = {
    tuple: lambda encoder, value, name: {"type": "tuple", "items": encoder._items(value, name)},
    dict: lambda encoder, value, name: {"type": "dict", "items": encoder._pairs(value, name)},
    Bunch: lambda encoder, value, name: {"type": "bunch", "items": encoder._pairs(value, name)},
    slice: lambda encoder, value, name: {
        "type": "slice",
        "items": encoder._items((value.start, value.stop, value.step), name),
    },
    np.ndarray: Encoder._array,
    np.ufunc: _write_ufunc,
    torch.device: lambda encoder, value, name: {"type": "device", "value": str(value)},
    EncoderConfig: lambda encoder, value, name: {"type": "config", "fields": value.to_dict()},
    GraphConfig: lambda encoder, value, name: {"type": "graph config", "fields": asdict(value)},
    SymmetryTokenizer: _write_tokenizer,
    OriginalTokenizer: _write_tokenizer,
    **dict.fromkeys(TARGETS.values(), _write_targets),
    **dict.fromkeys(SPLITTERS.values(), _write_splitter),
}
