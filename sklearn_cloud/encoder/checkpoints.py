"""Encoder weights: bundled with the package, in a local folder, or on the Hugging Face hub.

A checkpoint is a folder of three files: ``config.json`` (the field names of transformers, so
that its ``BertModel.from_pretrained`` reads it too), ``model.safetensors`` (float16) and the
tokenizer's JSON. One with a ``vocab.txt`` instead is read in the format of the original
implementation, see `original_format`. Nothing in it is unpickled.
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
from .weights import WEIGHTS_FILE, check_finite, check_fit, encoder_weights, read_weights, save_file

CONFIG_FILE = "config.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """What is needed to build an encoder.

    Parameters
    ----------
    config : EncoderConfig
    tokenizer : SymmetryTokenizer or OriginalTokenizer
    weights : dict of str to torch.Tensor, default=None
        State of the encoder in float32; None means random initialisation.
    metadata : dict
        Whatever was stored with the weights: corpus, scores, licences.
    source : str
        Where it was found.

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
        """The encoder as a `transformers.BertModel`, weights loaded."""
        encoder = build_encoder(self.config)
        if self.weights is not None:
            encoder.load_state_dict(self.weights)
        return encoder


def save_encoder(directory, encoder, config, tokenizer=None, metadata=None):
    """Write an encoder as a checkpoint folder.

    Parameters
    ----------
    directory : str or path-like
        Made if needed; a checkpoint that is there is replaced.
    encoder : transformers.BertModel
    config : EncoderConfig
        The shape of ``encoder``.
    tokenizer : SymmetryTokenizer or OriginalTokenizer, default=None
        None is the standard vocabulary.
    metadata : dict, default=None
        Anything that JSON can hold, given back by `load_encoder`.

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
    weights = {k: v.detach().cpu().half().contiguous() for k, v in encoder.state_dict().items()}
    check_finite(weights, "the encoder in float16")
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
    """Find and read an encoder.

    Parameters
    ----------
    encoder : None, EncoderConfig, str or path-like
        None is a "mini" shape (4 layers, 128 wide) with random weights, an `EncoderConfig` any
        other shape with random weights. A string is looked for as the name of a bundled or
        released checkpoint, as a folder, then as an id ("organisation/name") on the Hugging Face
        hub. What is downloaded is kept, in `sklearn_cloud.datasets.get_data_home` (environment
        variable ``SKLEARN_CLOUD_DATA``) and in the hub's cache (``HF_HOME``). The
        format of the original implementation is told by its ``vocab.txt``; symmetry strings are
        then written in its way, see `original_format.original_string`.

    Returns
    -------
    Checkpoint

    Raises
    ------
    TypeError
        If ``encoder`` is something else.
    ValueError
        If nothing of that name is found, or (ModelFolderError) what is found is damaged or does
        not fit together.
        Weights that cannot be read never turn into random ones.
    ConnectionError
        If a released checkpoint cannot be downloaded; the message says which file goes where.

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
            "encoder must be None, an EncoderConfig, the name of a checkpoint, a folder or a hub "
            f"id, got {encoder!r}."
        )
    return read_checkpoint(find_checkpoint(encoder))


def read_checkpoint(directory):
    """Read a checkpoint folder and check that its parts fit together.

    Parameters
    ----------
    directory : pathlib.Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    ModelFolderError
        If a file is missing, damaged or does not fit the others.
    """
    with folder_errors(directory):
        return _read_checkpoint(directory)


def _read_checkpoint(directory):
    config, metadata = read_config(directory / CONFIG_FILE)
    tokenizer = read_tokenizer(directory)
    weights = read_weights(directory / WEIGHTS_FILE)
    if isinstance(tokenizer, OriginalTokenizer):
        # Its configuration may still name transformers' own padding id, which means [CLS] there.
        config = replace(config, pad_id=tokenizer.pad_id)
        weights = encoder_weights(weights, directory / WEIGHTS_FILE)
    check_vocabulary(config, tokenizer, directory)
    weights = {name: tensor.float() for name, tensor in weights.items()}
    check_fit(build_encoder, {"config": config}, weights, directory / WEIGHTS_FILE)
    return Checkpoint(config, tokenizer, weights, metadata, str(directory))


def read_config(path):
    """Shape of the encoder and metadata in a ``config.json``, or a ValueError."""
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
            f"{path} has format version {version}, this version of sklearn-cloud reads "
            f"{FORMAT_VERSION}: update the one that is older."
        )
    try:
        return EncoderConfig.from_bert(content), metadata
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def check_vocabulary(config, tokenizer, where):
    """Raise ValueError unless an encoder has a vector for each token of the tokenizer."""
    # In the original format the embedding may have rows that stand for no token.
    spare = config.vocabulary_size - len(tokenizer)
    if spare < 0 or (spare and not isinstance(tokenizer, OriginalTokenizer)):
        raise ValueError(
            f"{where}: the encoder has {config.vocabulary_size} tokens, the tokenizer "
            f"{len(tokenizer)}."
        )
    if config.pad_id != tokenizer.pad_id:
        raise ValueError(
            f"{where}: the encoder has pad_id={config.pad_id}, the tokenizer {tokenizer.pad_id}."
        )
