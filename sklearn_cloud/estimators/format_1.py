"""Read models of version 0.1, the first format.

A folder has ``estimator.json``, ``model.safetensors`` and the tokenizer's files; a pipeline has
``crystal_model.json`` as well, with the parameters of the strings.
"""

import json

import numpy as np

from ..encoder.checkpoints import check_vocabulary
from ..encoder.config import EncoderConfig
from ..encoder.original_format import read_tokenizer
from ..encoder.weights import WEIGHTS_FILE, read_weights
from ..exceptions import ModelFolderError
from .folder_files import LARGEST_DESCRIPTION, OLD_MARKER, read_bytes

#: Parameters of the string of a crystal.
STRING_PARAMETERS = ("parts", "sites", "symprec", "angle_tolerance", "backend")
ESTIMATORS = ("CloudRegressor", "CloudClassifier")


def read_pipeline(directory, content):
    """Return the pipeline of a folder and its ``crystal_model.json``."""
    from sklearn.pipeline import make_pipeline

    from ..symmetry.transformer import SymmetryStringTransformer

    if set(content["strings"]) != set(STRING_PARAMETERS):
        raise ValueError(f"unexpected parameters of the strings: {sorted(content['strings'])}")
    strings = {**content["strings"], "parts": tuple(content["strings"]["parts"])}
    estimator = read_estimator(directory)
    if type(estimator).__name__ != content["estimator"]:
        raise ValueError(f"unexpected estimator {type(estimator).__name__}")
    return make_pipeline(SymmetryStringTransformer(**strings), estimator)


def read_estimator(directory):
    """Return an estimator saved by ``save_pretrained`` of version 0.1."""
    import sklearn_cloud

    content = _read_json(directory / OLD_MARKER)
    if content["class"] not in ESTIMATORS:
        raise ValueError(f"{content['class']!r} is not an estimator of version 0.1")
    params = {name: _from_json(value) for name, value in content["params"].items()}
    estimator = getattr(sklearn_cloud, content["class"])(**params)
    estimator._validate_params()
    estimator.__setstate__(
        {
            **vars(estimator),
            **{name: _from_json(value) for name, value in content["fitted"].items()},
            "tokenizer_": read_tokenizer(directory),
            "net_": {
                "module_params": {k: _from_json(v) for k, v in content["module"].items()},
                "weights": _read_arrays(directory / WEIGHTS_FILE),
            },
            "_versions": content["versions"],
        }
    )
    estimator.targets_.check_state()
    check_vocabulary(estimator.encoder_config_, estimator.tokenizer_, directory)
    return estimator


def _read_arrays(path):
    return {name: tensor.numpy() for name, tensor in read_weights(path).items()}


def _read_json(path):
    try:
        content = json.loads(read_bytes(path, LARGEST_DESCRIPTION).decode("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelFolderError(f"{path} cannot be read: {error}") from error
    parts = {"class", "versions", "params", "fitted", "module"}
    if not isinstance(content, dict) or not parts <= set(content):
        raise ModelFolderError(f"{path} is not a saved estimator.")
    return content


def _from_json(value):
    if isinstance(value, dict) and "EncoderConfig" in value:
        return EncoderConfig(**value["EncoderConfig"])
    if isinstance(value, dict) and "dict" in value:
        return {_from_json(k): _from_json(v) for k, v in value["dict"]}
    if isinstance(value, dict) and "ndarray" in value:
        return np.array(value["ndarray"], dtype=value["dtype"])
    return value
