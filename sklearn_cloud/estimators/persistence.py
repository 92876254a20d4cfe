"""Fitted estimators on disk as safetensors and JSON."""

import json
from pathlib import Path

import numpy as np
import torch

from ..encoder.config import EncoderConfig
from ..encoder.original_format import read_tokenizer
from ..encoder.weights import WEIGHTS_FILE, read_weights, save_file
from ..training.net import export_net
from ..training.state import upgrade, versions
from ..training.targets import ClassTargets, RegressionTargets

ESTIMATOR_FILE = "estimator.json"
#: Targets that a description can name.
TARGETS = {"RegressionTargets": RegressionTargets, "ClassTargets": ClassTargets}
#: Written on their own, or made anew on the machine that reads them.
NOT_IN_JSON = ("net_", "tokenizer_", "device_")


def save_estimator(estimator, directory):
    """Write a fitted estimator; see `CloudEstimator.save_pretrained`."""
    exported = export_net(estimator.net_)
    params = estimator.get_params(deep=False)
    fitted = {
        name: value
        for name, value in vars(estimator).items()
        if name not in params and name not in NOT_IN_JSON
    }
    content = {
        "class": type(estimator).__name__,
        "versions": versions(),
        "params": {name: _to_json(value, name) for name, value in params.items()},
        "fitted": {name: _to_json(value, name) for name, value in fitted.items()},
        "module": {k: _to_json(v, k) for k, v in exported["module_params"].items()},
    }
    text = json.dumps(content, indent=2)
    directory = Path(directory)
    estimator.tokenizer_.save_pretrained(directory)
    weights = {k: torch.from_numpy(v).contiguous() for k, v in exported["weights"].items()}
    save_file(weights, directory / WEIGHTS_FILE)
    (directory / ESTIMATOR_FILE).write_text(text, encoding="utf-8")


def load_estimator(cls, directory):
    """Read an estimator; see `CloudEstimator.from_pretrained`."""
    directory = Path(directory)
    content = _read_json(directory / ESTIMATOR_FILE)
    if content["class"] != cls.__name__:
        raise ValueError(f"{directory} holds a {content['class']}, not a {cls.__name__}.")
    estimator = cls(**{name: _from_json(value) for name, value in content["params"].items()})
    fitted = {name: _from_json(value) for name, value in content["fitted"].items()}
    upgrade(fitted, content["versions"], cls.__name__)
    vars(estimator).update(fitted)
    estimator.tokenizer_ = read_tokenizer(directory)
    weights = read_weights(directory / WEIGHTS_FILE)
    module_params = {name: _from_json(value) for name, value in content["module"].items()}
    try:
        estimator._restore_net(
            {"module_params": module_params, "weights": {k: v.numpy() for k, v in weights.items()}}
        )
    except RuntimeError as error:
        raise ValueError(f"The weights in {directory} do not fit {ESTIMATOR_FILE}.") from error
    return estimator


def _read_json(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.parent} holds no saved estimator: no {path.name}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict) or not {"class", "versions", "params"} <= set(content):
        raise ValueError(f"{path} is not a saved estimator.")
    return content


def _to_json(value, name):
    if isinstance(value, EncoderConfig):
        return {"EncoderConfig": value.to_dict()}
    if isinstance(value, tuple(TARGETS.values())):
        return {"targets": type(value).__name__, "state": _to_json(vars(value), name)}
    if isinstance(value, dict):
        # As pairs, because JSON would turn integer keys into text.
        return {"dict": [[_to_json(k, name), _to_json(v, name)] for k, v in value.items()]}
    if isinstance(value, np.ndarray):
        return {"ndarray": _to_json(value.tolist(), name), "dtype": value.dtype.str}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    try:
        json.dumps(value)
    except TypeError:
        raise TypeError(
            f"{name}={value!r} cannot be written as JSON: set it to a plain value before "
            "save_pretrained, or use joblib.dump."
        ) from None
    return value


def _from_json(value):
    if isinstance(value, dict) and "EncoderConfig" in value:
        return EncoderConfig(**value["EncoderConfig"])
    if isinstance(value, dict) and "targets" in value:
        targets = TARGETS[value["targets"]]()
        vars(targets).update(_from_json(value["state"]))
        return targets
    if isinstance(value, dict) and "dict" in value:
        return {_from_json(k): _from_json(v) for k, v in value["dict"]}
    if isinstance(value, dict) and "ndarray" in value:
        return np.array(value["ndarray"], dtype=value["dtype"])
    return value
