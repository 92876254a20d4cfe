"""Find checkpoints of encoders: in the package, in a folder, or on the network."""

import re
from pathlib import Path
from typing import NamedTuple

from ..downloads import download, get_data_home
from ..exceptions import shorten
from ..files import sha256_of
from .config import ENCODER_SIZES
from .original_format import VOCABULARY_FILE
from .weights import WEIGHTS_FILE

WEIGHTS_FOLDER = Path(__file__).parent.parent / "data" / "weights"
HUB_FILES = ["*.json", "*.safetensors", VOCABULARY_FILE]
LONGEST_NAME = 4096  # characters of a path; systems raise OSError for longer ones
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

#: Name of each bundled checkpoint -> SHA-256 of its weights file, in ``WEIGHTS_FOLDER / name``.
BUNDLED = {
    "mini": "39ca13762e357c568e6ba964a9fa37b76dd00c8c83002a6ce71a5f0da66914af",
    "small": "95aab1ede33bbe9e49dbd7085b37e2858212657b67b027fc16bb288d66d80014",
}


class Release(NamedTuple):
    """A checkpoint that is downloaded at first use.

    Attributes
    ----------
    url : str
        URL of the folder of its files.
    sha256 : dict of str to str
        SHA-256 of each file, by name.
    """

    url: str
    sha256: dict


#: Name of each checkpoint that is too large for the package -> `Release`; none so far. Downloads
#: are stored in the folder ``encoders`` of `sklearn_cloud.datasets.get_data_home`.
RELEASED = {}


def find_checkpoint(encoder):
    """Return the folder of a checkpoint; see `load_encoder` for the places searched.

    Parameters
    ----------
    encoder : str or path-like

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If nothing of that name is found, or the checksum of its weights is wrong.
    ConnectionError
        If a released checkpoint cannot be downloaded.
    """
    if encoder in BUNDLED:
        return _check_bundled(WEIGHTS_FOLDER / encoder, BUNDLED[encoder])
    if encoder in RELEASED:
        return _fetch_release(encoder)
    if len(str(encoder)) < LONGEST_NAME and Path(encoder).is_dir():
        return Path(encoder)
    if isinstance(encoder, str) and HUB_ID.fullmatch(encoder):
        return _download_from_hub(encoder)
    raise ValueError(_not_found(encoder))


def _check_bundled(folder, sha256):
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ValueError(f"The bundled checkpoint {path} is missing: reinstall sklearn-cloud.")
    if (found := sha256_of(path)) != sha256:
        raise ValueError(
            f"The bundled checkpoint {path} has SHA-256 {found}, expected {sha256}: reinstall "
            "sklearn-cloud."
        )
    return folder


def _not_found(encoder):
    message = (
        f"No encoder {shorten(repr(str(encoder)))} found. Searched the bundled and released "
        f"checkpoints ({', '.join(sorted([*BUNDLED, *RELEASED]))}) and the folder "
        f"{shorten(Path(encoder).absolute(), 300)}. An id on the Hugging Face Hub has the form "
        "'organisation/name'."
    )
    if encoder in ENCODER_SIZES:
        message += f" To train this shape from scratch, pass ENCODER_SIZES[{encoder!r}]."
    return message


def _fetch_release(name):
    """Return the local folder of a released checkpoint, after downloading missing files."""
    folder = get_data_home() / "encoders" / name
    for file, sha256 in RELEASED[name].sha256.items():
        path = download(f"{RELEASED[name].url}/{file}", folder / file, sha256)
        if sha256_of(path) != sha256:
            raise ValueError(
                f"{path} is damaged: its SHA-256 is not {sha256}. Delete it to download it again."
            )
    return folder


def _download_from_hub(repo_id):
    """Return the local folder of a repository of the Hub; only ``HUB_FILES`` are downloaded.

    The configuration is downloaded first: the weights of an unusable model may be large.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    from .checkpoints import CONFIG_FILE, read_config

    try:
        folder = Path(snapshot_download(repo_id, allow_patterns=[CONFIG_FILE]))
        read_config(folder / CONFIG_FILE)
        return Path(snapshot_download(repo_id, allow_patterns=HUB_FILES))
    except (OSError, HFValidationError) as error:
        raise ValueError(
            f"No encoder {repo_id!r} found: it is not bundled, {Path(repo_id).absolute()} is not a "
            f"folder, and the Hugging Face Hub returned {type(error).__name__}: {error}"
        ) from error
