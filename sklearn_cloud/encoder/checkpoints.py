"""Encoder weights: bundled with the package, in a local folder, or on the Hugging Face hub.

A checkpoint is a folder of three files: ``config.json`` (the field names of transformers, so
that its ``BertModel.from_pretrained`` reads it too), ``model.safetensors`` (float16) and the
tokenizer's JSON. One with a ``vocab.txt`` instead is read in the format of the original
implementation, see `original_format`. Nothing in it is unpickled.
"""

import hashlib
import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from .config import ENCODER_SIZES, EncoderConfig
from .model import build_encoder
from .original_format import VOCABULARY_FILE, OriginalTokenizer, read_tokenizer
from .tokenizer import SymmetryTokenizer
from .weights import (
    WEIGHTS_FILE,
    check_finite,
    check_shapes,
    encoder_weights,
    read_weights,
    save_file,
)

CONFIG_FILE = "config.json"
FORMAT_VERSION = 1
WEIGHTS_FOLDER = Path(__file__).parent.parent / "data" / "weights"
HUB_FILES = ["*.json", "*.safetensors", VOCABULARY_FILE]
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

#: Name of each bundled checkpoint -> SHA-256 of its weights file, in ``WEIGHTS_FOLDER / name``.
BUNDLED = {"mini": "39ca13762e357c568e6ba964a9fa37b76dd00c8c83002a6ce71a5f0da66914af"}


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
        other shape with random weights. A string is looked for as the name of a bundled
        checkpoint, as a folder, then as an id ("organisation/name") on the Hugging Face hub. The
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
        If nothing of that name is found, or what is found is damaged or does not fit together.
        Weights that cannot be read never turn into random ones.
    """
    if encoder is None:
        encoder = ENCODER_SIZES["mini"]
    if isinstance(encoder, EncoderConfig):
        tokenizer = SymmetryTokenizer()
        _check_vocabulary(encoder, tokenizer, "encoder")
        return Checkpoint(encoder, tokenizer)
    if not isinstance(encoder, (str, os.PathLike)):
        raise TypeError(
            "encoder must be None, an EncoderConfig, the name of a checkpoint, a folder or a hub "
            f"id, got {encoder!r}."
        )
    if encoder in BUNDLED:
        directory = WEIGHTS_FOLDER / encoder
        _check_sha256(directory / WEIGHTS_FILE, BUNDLED[encoder])
        return read_checkpoint(directory)
    if Path(encoder).is_dir():
        return read_checkpoint(Path(encoder))
    if isinstance(encoder, str) and HUB_ID.fullmatch(encoder):
        return read_checkpoint(_download_from_hub(encoder))
    raise ValueError(_not_found(encoder))


def _not_found(encoder):
    bundled = ", ".join(sorted(BUNDLED)) or "none in this version"
    message = (
        f"No encoder {str(encoder)!r}. Searched the bundled checkpoints ({bundled}) and the "
        f"folder {Path(encoder).absolute()}; a hub id would look like 'organisation/name'."
    )
    if encoder in ENCODER_SIZES:
        message += f" To train this shape from scratch, pass ENCODER_SIZES[{encoder!r}]."
    return message


def _download_from_hub(repo_id):
    """Local folder of a hub repository; only ``HUB_FILES`` are fetched."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(repo_id, allow_patterns=HUB_FILES))
    except (OSError, HFValidationError) as error:
        raise ValueError(
            f"No encoder {repo_id!r}: it is not bundled, {Path(repo_id).absolute()} is not a "
            f"folder, and the Hugging Face hub gave {type(error).__name__}: {error}"
        ) from error


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
    ValueError
        If a file is missing, damaged or does not fit the others.
    """
    config, metadata = _read_config(directory / CONFIG_FILE)
    tokenizer = read_tokenizer(directory)
    weights = read_weights(directory / WEIGHTS_FILE)
    if isinstance(tokenizer, OriginalTokenizer):
        # Its configuration may still name transformers' own padding id, which means [CLS] there.
        config = replace(config, pad_id=tokenizer.pad_id)
        weights = encoder_weights(weights, directory / WEIGHTS_FILE)
    _check_vocabulary(config, tokenizer, directory)
    weights = {name: tensor.float() for name, tensor in weights.items()}
    with torch.device("meta"):
        expected = build_encoder(config).state_dict()
    check_shapes(weights, expected, directory / WEIGHTS_FILE)
    return Checkpoint(config, tokenizer, weights, metadata, str(directory))


def _read_config(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
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


def _check_vocabulary(config, tokenizer, where):
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


def _check_sha256(path, expected):
    if not path.is_file():
        raise ValueError(f"The bundled checkpoint {path} is missing: reinstall sklearn-cloud.")
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ValueError(
            f"The bundled checkpoint {path} has SHA-256 {found}, expected {expected}: reinstall "
            "sklearn-cloud."
        )
