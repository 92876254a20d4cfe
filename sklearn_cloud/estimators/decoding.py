"""Decode fitted estimators written by `encoding`, without unpickling anything."""

from pathlib import Path

import numpy as np
import torch
from sklearn.utils import Bunch

from ..encoder.checkpoints import check_vocabulary
from ..encoder.config import EncoderConfig
from ..encoder.original_format import OriginalTokenizer
from ..encoder.tokenizer import SymmetryTokenizer
from ..graphs.graph_config import GraphConfig
from ..training.targets import TARGETS
from .encoding import NUMERIC, SPLITTERS, check_parameters
from .parts import find_part
from .skops_files import load_skops

LONGEST_TEXT = 10_000  # bytes of one text in an array; each takes as much as the longest
TOKENIZERS = {kind.__name__: kind for kind in (SymmetryTokenizer, OriginalTokenizer)}


class Decoder:
    """Build a fitted estimator from JSON.

    Parameters
    ----------
    arrays : dict of str to ndarray
    blobs : list of pathlib.Path
        The skops files.
    """

    def __init__(self, arrays, blobs):
        self._arrays, self._blobs = arrays, blobs
        self._known = {}

    def decode(self, node):
        """Decode a value from JSON.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it was not written by `encoding`.
        """
        if isinstance(node, list):
            return [self.decode(one) for one in node]
        if not isinstance(node, dict):
            return node
        return READERS[node["type"]](self, node)

    def _items(self, node):
        if not isinstance(node["items"], list):
            raise TypeError(f"the items of a {node['type']} are not a list")
        return [self.decode(one) for one in node["items"]]

    def _pairs(self, node):
        return {key: value for key, value in self._items(node)}  # noqa: C416 (checks that they are pairs)

    def _named(self, nodes):
        return {name: self.decode(node) for name, node in nodes.items()}

    def _array(self, node):
        if "name" in node:
            array = self._arrays[node["name"]]
            # weights whose values allow it are stored as float16
            return array.astype(np.float32) if node.get("dtype") == "<f4" else array
        dtype = np.dtype(node["dtype"])
        if dtype.kind not in (*NUMERIC, "c", "U", "O", "M", "m"):
            raise ValueError(f"arrays of {dtype} cannot be loaded")
        if dtype.itemsize > LONGEST_TEXT:
            raise ValueError(
                f"an array has texts of {dtype.itemsize} bytes, more than {LONGEST_TEXT}"
            )
        values = [self.decode(one) for one in node["values"]]
        array = np.empty(len(values), dtype=dtype)
        # one by one, since an object may be a sequence
        for i, value in enumerate(values):
            array[i] = value
        return array.reshape(node["shape"])

    def _estimator(self, node):
        part = find_part(node["class"])
        if part is None:
            raise ValueError(f"{node['class']!r} is not an estimator that can be loaded")
        names = part._get_param_names()
        params = self._named(node["params"])
        unknown = sorted(set(params) - set(names))
        if unknown:
            raise ValueError(f"{node['class']} has no parameter {unknown[0]!r} in this version")
        if "trust_weights" in params:
            params["trust_weights"] = False  # nobody but the user says which pickles to read
        estimator = part(**params)
        state = self._named(node["state"])
        _check_state(part, names, state)
        estimator.__setstate__({**vars(estimator), **state})
        check_parameters(estimator)
        if hasattr(estimator, "tokenizer_"):
            check_vocabulary(estimator.encoder_config_, estimator.tokenizer_, node["class"])
        self._known[node["id"]] = estimator
        return estimator


def _check_state(part, names, state):
    """Raise an error if an attribute would hide a method or a parameter."""
    for name in state:
        hidden = callable(getattr(part, name, None))
        if name in names or name.startswith("__") or hidden or not name.isidentifier():
            raise ValueError(f"{part.__name__} has no fitted attribute {name!r}")


def _read_float(decoder, node):
    if node["value"] not in ("nan", "inf", "-inf"):
        raise ValueError(f"{node['value']!r} is not a float")
    return float(node["value"])


def _read_ufunc(decoder, node):
    import scipy.special

    module, _, name = node["name"].rpartition(".")
    function = getattr({"numpy": np, "scipy.special": scipy.special}[module], name)
    if not isinstance(function, np.ufunc):
        raise ValueError(f"{node['name']} is not a ufunc")
    return function


def _read_targets(decoder, node):
    targets = TARGETS[node["class"]]()
    vars(targets).update(decoder._named(node["state"]))
    targets.check_state()
    return targets


def _read_tokenizer(decoder, node):
    return TOKENIZERS[node["class"]].from_description(node)


READERS = {
    "float": _read_float,
    "tuple": lambda decoder, node: tuple(decoder._items(node)),
    "dict": Decoder._pairs,
    "bunch": lambda decoder, node: Bunch(**decoder._pairs(node)),
    "slice": lambda decoder, node: slice(*decoder._items(node)),
    "path": lambda decoder, node: Path(node["value"]),
    "device": lambda decoder, node: torch.device(node["value"]),
    "scalar": lambda decoder, node: decoder._array(node["array"])[()],
    "array": Decoder._array,
    "ufunc": _read_ufunc,
    "splitter": lambda decoder, node: SPLITTERS[node["class"]](**decoder._named(node["params"])),
    "config": lambda decoder, node: EncoderConfig(**node["fields"]),
    "graph config": lambda decoder, node: GraphConfig(**node["fields"]),
    "targets": _read_targets,
    "tokenizer": _read_tokenizer,
    "estimator": Decoder._estimator,
    "same": lambda decoder, node: decoder._known[node["id"]],
    "skops": lambda decoder, node: load_skops(decoder._blobs[node["file"]]),
}
