"""Where the weights of potentials lie whose packages come without them."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple


class LocalWeights(NamedTuple):
    """Weights that the user provides.

    Attributes
    ----------
    variable : str
        Environment variable with the path, where no parameter names it.
    files : tuple of str
        Files in the folder; empty where the path is a file.
    source : str
        Where to get them.
    is_pickle : bool
        Whether reading them can run code.
    """

    variable: str
    files: tuple
    source: str
    is_pickle: bool


_MATGL_FILES = ("model.json", "model.pt", "state.pt")
_MATGL_SOURCE = "https://github.com/materialyzeai/matgl (folder pretrained_models) has {}"

LOCAL_WEIGHTS = {
    "m3gnet": LocalWeights(
        "SKLEARN_CLOUD_M3GNET", _MATGL_FILES, _MATGL_SOURCE.format("M3GNet-MP-2021.2.8-PES"), False
    ),
    "tensornet": LocalWeights(
        "SKLEARN_CLOUD_TENSORNET",
        _MATGL_FILES,
        _MATGL_SOURCE.format("TensorNet-MatPES-PBE-v2025.1-PES"),
        False,
    ),
    "mace": LocalWeights(
        "SKLEARN_CLOUD_MACE",
        (),
        "the releases of https://github.com/ACEsuit/mace-foundations have "
        "2023-12-03-mace-128-L1_epoch-199.model (MACE-MP-0) and others",
        True,
    ),
}


def find_weights(name, weights=None, trust_weights=False):
    """Path of the weights of a potential; None where its package contains them.

    Parameters
    ----------
    name : str
        Name of the potential.
    weights : str or path, default=None
        File or folder; None looks into the environment variable.
    trust_weights : bool, default=False
        Whether a pickle may be read.

    Returns
    -------
    str or None

    Raises
    ------
    FileNotFoundError
        If there are no weights; the message says which are needed, and where to put them.
    ValueError
        If weights are given that are not needed, or are a pickle that is not trusted.
    """
    if name not in LOCAL_WEIGHTS:
        if weights is not None:
            raise ValueError(
                f"weights={str(weights)!r} has no effect: the package of potential={name!r} "
                f"contains the weights; potentials that read others are {sorted(LOCAL_WEIGHTS)}"
            )
        return None
    local = LOCAL_WEIGHTS[name]
    given = weights if weights is not None else os.environ.get(local.variable)
    wanted = f"a folder with {', '.join(local.files)}" if local.files else "a file"
    advice = f"{local.source}; pass its path as weights= or in the variable {local.variable}"
    if not given:
        raise FileNotFoundError(f"potential={name!r} needs its weights, {wanted}: {advice}")
    path = Path(given)
    needed = [path / file for file in local.files] or [path]
    missing = [str(file) for file in needed if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"potential={name!r} needs its weights, {wanted}, but {missing[0]!r} is not a file: "
            f"{advice}"
        )
    if local.is_pickle and not trust_weights:
        raise ValueError(
            f"{str(path)!r} is a pickle, which can run any code when it is read. If you trust "
            f"whoever wrote it, set trust_weights=True"
        )
    return str(path)


def content_tag(path):
    """Short digest of a file, which tells weights apart."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
