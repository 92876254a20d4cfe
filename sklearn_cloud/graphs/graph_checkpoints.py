"""Pre-trained weights of the graph network: bundled with the package, or in a folder.

A checkpoint is a folder of two files: ``config.json`` and ``model.safetensors`` (float16).
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..encoder.weights import (
    WEIGHTS_FILE,
    check_fit,
    half_precision,
    read_weights,
    save_file,
    single_precision,
)
from ..exceptions import folder_errors, shorten
from ..files import read_text, sha256_of, write_text
from .asymmetric_unit_encoder import AsymmetricUnitEncoder
from .graph_config import GraphConfig

CONFIG_FILE = "config.json"
FORMAT = "sklearn-cloud graph network 1"
WEIGHTS_FOLDER = Path(__file__).parent.parent / "data" / "graph_weights"
#: Name of each bundled checkpoint -> SHA-256 of its weights file, in ``WEIGHTS_FOLDER / name``.
BUNDLED = {"mini": "de02b374a2d6edd2e354bda173cfb8a257c3f587a9ea61fa1dddf59558831d9f"}


@dataclass(frozen=True)
class GraphCheckpoint:
    """Shape and weights of a graph network.

    Parameters
    ----------
    config : GraphConfig
    weights : dict of str to torch.Tensor, default=None
        State of the `AsymmetricUnitEncoder` in float32; None means random weights.
    metadata : dict
        Stored with the weights: corpus, scores, licences.
    """

    config: GraphConfig
    weights: dict | None = None
    metadata: dict = field(default_factory=dict)


def save_graph_network(directory, encoder, config, metadata=None):
    """Save a graph network as a checkpoint folder.

    Parameters
    ----------
    directory : str or path-like
        Created if needed; an existing checkpoint is replaced.
    encoder : AsymmetricUnitEncoder
    config : GraphConfig
        The shape of `encoder`.
    metadata : dict, default=None
        Anything that JSON can express; returned by `load_graph_network`.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If a weight is NaN or too large for float16.
    """
    directory = Path(directory)
    weights = half_precision(encoder, "the graph network")
    content = {"format": FORMAT, "config": asdict(config), "metadata": metadata or {}}
    text = json.dumps(content, indent=2)
    directory.mkdir(parents=True, exist_ok=True)
    save_file(weights, directory / WEIGHTS_FILE)
    write_text(directory / CONFIG_FILE, text + "\n")
    return directory


def load_graph_network(network=None):
    """Find and load a graph network.

    Parameters
    ----------
    network : None, GraphConfig, str or path-like
        None gives the default shape with random weights, a `GraphConfig` another one. A string is
        the name of a bundled checkpoint or a folder, tried in this order.

    Returns
    -------
    GraphCheckpoint

    Raises
    ------
    TypeError
        If `network` has another type.
    ValueError
        If there is no such checkpoint, or (ModelFolderError) it is damaged.

    Examples
    --------
    >>> from sklearn_cloud.graphs.graph_checkpoints import load_graph_network
    >>> load_graph_network().config.width
    64
    """
    if network is None or isinstance(network, GraphConfig):
        return GraphCheckpoint(network or GraphConfig())
    if not isinstance(network, (str, os.PathLike)):
        raise TypeError(
            "network must be None, a GraphConfig, the name of a checkpoint or a folder, got "
            f"{network!r}."
        )
    folder = _find(network)
    with folder_errors(folder):
        return _read(folder)


def _find(network):
    if network in BUNDLED:
        folder = WEIGHTS_FOLDER / network
        path = folder / WEIGHTS_FILE
        if not path.is_file() or sha256_of(path) != BUNDLED[network]:
            raise ValueError(
                f"The bundled checkpoint {path} is missing or damaged: reinstall sklearn-cloud."
            )
        return folder
    if not os.path.isdir(network):
        raise ValueError(
            f"No graph network {shorten(repr(str(network)))} found: neither a bundled checkpoint "
            f"({', '.join(BUNDLED)}) nor a folder has this name."
        )
    return Path(network)


def _read(folder):
    path = folder / CONFIG_FILE
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        raise ValueError(f"{folder} is not a checkpoint: it has no {CONFIG_FILE}.") from None
    if (
        not isinstance(content, dict)
        or content.get("format") != FORMAT
        or not isinstance(content.get("config"), dict)
        or not isinstance(content.get("metadata", {}), dict)
    ):
        raise ValueError(f"{path} does not describe a graph network ({FORMAT!r}).")
    config = GraphConfig(**content["config"])
    path = folder / WEIGHTS_FILE
    weights = single_precision(read_weights(path), path)
    check_fit(AsymmetricUnitEncoder, config.sizes, weights, path)
    return GraphCheckpoint(config, weights, content.get("metadata", {}))
