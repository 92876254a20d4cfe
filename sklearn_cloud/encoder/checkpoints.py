"""Encoder weights: bundled with the package, in a local folder, or on the Hugging Face Hub.

A checkpoint is a folder of three files: ``config.json`` (with the field names of transformers, so
that ``BertModel.from_pretrained`` reads it too), ``model.safetensors`` (float16) and the
tokenizer's JSON. A folder with a ``vocab.txt`` instead has the format of the original
implementation, see `original_format`. Nothing is unpickled.
"""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..exceptions import folder_errors
from ..files import read_text
from .config import ENCODER_SIZES, EncoderConfig
from .model import build_encoder
from .original_format import OriginalTokenizer, read_tokenizer
from .sources import find_checkpoint
from .tokenizer import SymmetryTokenizer
from .weights import (
    WEIGHTS_FILE,
    check_fit,
    encoder_weights,
    half_precision,
    read_weights,
    save_file,
    single_precision,
)

CONFIG_FILE = "config.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """Configuration, tokenizer and weights of an encoder.

    Parameters
    ----------
    config : EncoderConfig
    tokenizer : SymmetryTokenizer or OriginalTokenizer
    weights : dict of str to torch.Tensor, default=None
        State of the encoder in float32; None means random initialisation.
    metadata : dict
        Data stored with the weights: corpus, scores, licences.
    source : str
        Where the checkpoint was found.

    Examples
    --------
    >>> from sklearn_cloud.encoder import load_encoder
    >>> checkpoint = load_encoder("mini")
    >>> checkpoint.config.n_layers, checkpoint.config.width
    (4, 128)
    >>> type(checkpoint.build()).__name__
    'BertModel'
    """

    config: EncoderConfig
    tokenizer: SymmetryTokenizer | OriginalTokenizer
    weights: dict | None = None
    metadata: dict = field(default_factory=dict)
    source: str = "random initialisation"

    def build(self):
        """Build the encoder as a `transformers.BertModel`, with its weights."""
        encoder = build_encoder(self.config)
        if self.weights is not None:
            encoder.load_state_dict(self.weights)
        return encoder


def save_encoder(directory, encoder, config, tokenizer=None, metadata=None):
    """Save an encoder as a checkpoint folder.

    Parameters
    ----------
    directory : str or path-like
        Created if needed; an existing checkpoint is replaced.
    encoder : transformers.BertModel
    config : EncoderConfig
        The shape of ``encoder``.
    tokenizer : SymmetryTokenizer or OriginalTokenizer, default=None
        None means the standard vocabulary.
    metadata : dict, default=None
        Anything that JSON can express; returned by `load_encoder`.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ValueError
        If a weight is NaN or too large for float16.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.encoder import EncoderConfig, build_encoder, load_encoder, save_encoder
    >>> config = EncoderConfig(n_layers=1, width=32)
    >>> with TemporaryDirectory() as folder:
    ...     _ = save_encoder(folder, build_encoder(config), config, metadata={"corpus": "mine"})
    ...     load_encoder(folder).metadata
    {'corpus': 'mine'}
    """
    directory = Path(directory)
    weights = half_precision(encoder, "the encoder")
    content = {
        **config.to_bert(),
        "dtype": "float16",
        "sklearn_cloud": {"format_version": FORMAT_VERSION, "metadata": metadata or {}},
    }
    text = json.dumps(content, indent=2)
    (tokenizer or SymmetryTokenizer()).save_pretrained(directory)
    save_file(weights, directory / WEIGHTS_FILE)
    (directory / CONFIG_FILE).write_text(text, encoding="utf-8")
    return directory


def load_encoder(encoder=None):
    """Find and load an encoder.

    Parameters
    ----------
    encoder : None, EncoderConfig, str or path-like
        None gives the "mini" shape (4 layers of width 128) with random weights, an `EncoderConfig`
        another shape with random weights. A string is the name of a bundled or released
        checkpoint, a folder, or an id ("organisation/name") on the Hugging Face Hub, tried in this
        order. Downloads are stored in `sklearn_cloud.datasets.get_data_home` (environment variable
        ``SKLEARN_CLOUD_DATA``) and in the cache of the Hub (``HF_HOME``). A checkpoint with a
        ``vocab.txt`` has the format of the original implementation; symmetry strings are then
        written in its form, see `original_format.original_string`.

    Returns
    -------
    Checkpoint

    Raises
    ------
    TypeError
        If ``encoder`` has another type.
    ValueError
        If nothing of that name is found, or (ModelFolderError) the checkpoint is damaged or
        inconsistent. Unreadable weights are never replaced by random ones.
    ConnectionError
        If a released checkpoint cannot be downloaded; the message names the file and its folder.

    Examples
    --------
    >>> from sklearn_cloud.encoder import EncoderConfig, load_encoder
    >>> load_encoder("mini").config.width
    128
    >>> load_encoder(EncoderConfig(n_layers=2, width=64)).source
    'random initialisation'
    """
    if encoder is None:
        encoder = ENCODER_SIZES["mini"]
    if isinstance(encoder, EncoderConfig):
        tokenizer = SymmetryTokenizer()
        check_vocabulary(encoder, tokenizer, "encoder")
        return Checkpoint(encoder, tokenizer)
    if not isinstance(encoder, (str, os.PathLike)):
        raise TypeError(
            f"encoder must be None, an EncoderConfig, the name of a checkpoint, a folder or an id "
            f"on the Hugging Face Hub, got {encoder!r}."
        )
    return read_checkpoint(find_checkpoint(encoder))


def read_checkpoint(directory):
    """Read a checkpoint folder and check that its files are consistent.

    Parameters
    ----------
    directory : pathlib.Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    ModelFolderError
        If a file is missing, damaged or inconsistent with the others.
    """
    with folder_errors(directory):
        return _read_checkpoint(directory)


def _read_checkpoint(directory):
    config, metadata = read_config(directory / CONFIG_FILE)
    tokenizer = read_tokenizer(directory)
    weights = read_weights(directory / WEIGHTS_FILE)
    if isinstance(tokenizer, OriginalTokenizer):
        # Its configuration may still have transformers' own padding id, which means [CLS] there.
        config = replace(config, pad_id=tokenizer.pad_id)
        weights = encoder_weights(weights, directory / WEIGHTS_FILE)
    check_vocabulary(config, tokenizer, directory)
    weights = single_precision(weights, directory / WEIGHTS_FILE)
    check_fit(build_encoder, {"config": config}, weights, directory / WEIGHTS_FILE)
    return Checkpoint(config, tokenizer, weights, metadata, str(directory))


def read_config(path):
    """Return the shape of the encoder and the metadata in ``config.json``, or raise ValueError."""
    try:
        content = json.loads(read_text(path))
        version = content.get("sklearn_cloud", {}).get("format_version", FORMAT_VERSION)
        metadata = content.get("sklearn_cloud", {}).get("metadata", {})
    except FileNotFoundError:
        raise ValueError(f"{path.parent} is not a checkpoint: it has no {path.name}.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{path} has format version {version}, but this version of sklearn-cloud reads "
            f"{FORMAT_VERSION}: update sklearn-cloud, or save the encoder again."
        )
    try:
        return EncoderConfig.from_bert(content), metadata
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def check_vocabulary(config, tokenizer, where):
    """Raise ValueError unless an encoder has a vector for each token of the tokenizer."""
    # In the original format the embedding may have rows without a token.
    spare = config.vocabulary_size - len(tokenizer)
    if spare < 0 or (spare and not isinstance(tokenizer, OriginalTokenizer)):
        raise ValueError(
            f"{where}: the encoder has {config.vocabulary_size} tokens, but the tokenizer "
            f"has {len(tokenizer)}."
        )
    if config.pad_id != tokenizer.pad_id:
        raise ValueError(
            f"{where}: the encoder has pad_id={config.pad_id}, but the tokenizer "
            f"{tokenizer.pad_id}."
        )
