"""Files of a model folder, replaced in one step.

The description is written last, and it names the other files by their content: until then, the old
files exist, and the folder is the old model. A process killed at any time leaves the old model or
the new one, never a mixture. Of two processes that write the same folder, one waits for the other,
and the last one's model stays.
"""

import glob
import hashlib
import json
import re
import secrets
import shutil

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from ..exceptions import ModelFolderError, shorten
from ..files import check_ordinary, is_locked, locked, write_file

MODEL_FILE = "crystal_model.json"
FORMAT_VERSION = 2
LARGEST_DESCRIPTION = 200_000_000  # bytes
#: Files named in a description.
NAMED_FILE = re.compile(r"arrays-[0-9a-f]{16}\.safetensors|part-[0-9a-f]{16}\.skops")
#: Files of version 1 of the format, and one of them that only this version has.
OLD_MARKER = "estimator.json"
OLD_FILES = (
    OLD_MARKER, "model.safetensors", "symmetry_tokenizer.json", "vocab.txt", "added_tokens.json",
    "tokenizer_config.json",
)  # fmt: skip


def write_folder(directory, content, arrays, blobs):
    """Write a model folder, or replace an earlier one.

    Parameters
    ----------
    directory : pathlib.Path
        Created if needed.
    content : dict
        The description.
    arrays : dict of str to ndarray
    blobs : list of bytes
    """
    files = [("arrays", "safetensors", save_arrays(arrays))] if arrays else []
    files += [("part", "skops", blob) for blob in blobs]
    if not directory.exists() and _write_new_folder(directory, content, files):
        return
    with locked(directory):
        _write_files(directory, content, files)


def _write_new_folder(directory, content, files):
    """Write a temporary folder and rename it; False if another process was faster."""
    directory = directory.absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    for leftover in directory.parent.glob(f".{glob.escape(directory.name)}.*.part"):
        if not is_locked(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    folder = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.part")
    folder.mkdir()
    try:
        with locked(folder):
            _write_files(folder, content, files)
            folder.rename(directory)
    except OSError:
        if not directory.is_dir():
            raise
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _write_files(directory, content, files):
    entries = []
    for stem, suffix, data in files:
        sha256 = hashlib.sha256(data).hexdigest()
        name = f"{stem}-{sha256[:16]}.{suffix}"
        write_file(directory / name, data)
        entries.append({"name": name, "bytes": len(data), "sha256": sha256})
    content = {"format_version": FORMAT_VERSION, **content, "files": entries}
    content["sha256"] = checksum(content)
    text = json.dumps(content, indent=1, allow_nan=False) + "\n"
    write_file(directory / MODEL_FILE, text.encode())
    _remove_old_files(directory, {entry["name"] for entry in entries})


def _remove_old_files(directory, kept):
    """Remove the files of an earlier model, and remains of a killed process."""
    old = OLD_FILES if (directory / OLD_MARKER).exists() else ()
    for path in directory.iterdir():
        named = NAMED_FILE.fullmatch(path.name) and path.name not in kept
        if named or path.name in old or re.fullmatch(r"\..+\.part", path.name):
            path.unlink()


def checksum(content):
    """Return the SHA-256 of a description without its own checksum."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_content(directory):
    """Read the description of a model folder.

    Raises
    ------
    ModelFolderError
        If it is missing, damaged, or of an unknown version.
    """
    path = directory / MODEL_FILE
    if not directory.is_dir():
        raise ModelFolderError(f"there is no model folder {str(directory)!r}.")
    if not path.exists():
        raise ModelFolderError(
            f"{directory} is not a model folder: it has no {MODEL_FILE}. Pass a folder written by "
            "save_model or `sklearn-cloud fit`."
        )
    try:
        content = json.loads(read_bytes(path, LARGEST_DESCRIPTION).decode("utf-8"))
        version = content["format_version"]
    except ModelFolderError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFolderError(
            f"{path} is damaged ({shorten(repr(error))}): fit the model again."
        ) from error
    if version not in (1, FORMAT_VERSION):
        raise ModelFolderError(
            f"{path} was written by an incompatible version of sklearn-cloud (format {version=}): "
            "update sklearn-cloud, or fit the model again."
        )
    if version == FORMAT_VERSION and content.get("sha256") != checksum(content):
        raise ModelFolderError(
            f"{path} was changed after it was written (its SHA-256 differs): fit the model again."
        )
    return content


def read_bytes(path, largest=None):
    """Return the content of a regular file."""
    try:
        check_ordinary(path)
    except FileNotFoundError as error:
        raise ModelFolderError(str(error)) from None
    if largest is not None and path.stat().st_size > largest:
        raise ModelFolderError(f"{path} is larger than {largest} bytes.")
    return path.read_bytes()


def read_files(directory, entries):
    """Return the arrays and the paths of the skops files of a description.

    Raises
    ------
    ModelFolderError
        If a file is missing, or has another size or checksum.
    """
    arrays, blobs = {}, []
    for entry in entries:
        name = entry["name"]
        path = directory / name
        if not NAMED_FILE.fullmatch(name):
            raise ModelFolderError(f"{directory / MODEL_FILE} names an unexpected file {name!r}.")
        if path.is_file() and path.stat().st_size != entry["bytes"]:
            raise ModelFolderError(f"{path} is damaged: it does not have {entry['bytes']} bytes.")
        data = read_bytes(path)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ModelFolderError(f"{path} is damaged: its SHA-256 differs.")
        if name.endswith(".skops"):
            blobs.append(path)
        else:
            arrays |= _read_arrays(data, path)
    return arrays, blobs


def _read_arrays(data, path):
    try:
        arrays = load_arrays(data)
    except SafetensorError as error:
        raise ModelFolderError(f"{path} is damaged: {error}") from error
    # safetensors returns read-only views of the file
    return {name: np.array(array) for name, array in arrays.items()}
