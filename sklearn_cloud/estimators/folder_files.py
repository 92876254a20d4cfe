"""The files of a model's folder, replaced in one step.

The description is the last file to be written, and it names the others by their content: as long
as it is the old one, the old files are there, and the folder is the old model. A process that is
killed at any moment leaves the old model or the new one, never a mixture.
"""

import glob
import hashlib
import json
import re
import secrets
import shutil
from contextlib import contextmanager

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from ..exceptions import ModelFolderError, shorten
from ..files import check_ordinary, write_file

MODEL_FILE = "crystal_model.json"
FORMAT_VERSION = 2
LARGEST_DESCRIPTION = 200_000_000  # bytes
#: Files that a description names.
NAMED_FILE = re.compile(r"arrays-[0-9a-f]{16}\.safetensors|part-[0-9a-f]{16}\.skops")
#: Files that version 1 of the format wrote, and one of them that nothing else writes.
OLD_MARKER = "estimator.json"
OLD_FILES = (
    OLD_MARKER, "model.safetensors", "symmetry_tokenizer.json", "vocab.txt", "added_tokens.json",
    "tokenizer_config.json",
)  # fmt: skip


def write_folder(directory, content, arrays, blobs):
    """Write a model's folder, or put it in the place of an earlier one.

    Parameters
    ----------
    directory : pathlib.Path
        Made if needed.
    content : dict
        The description.
    arrays : dict of str to ndarray
    blobs : list of bytes
    """
    files = [("arrays", "safetensors", save_arrays(arrays))] if arrays else []
    files += [("part", "skops", blob) for blob in blobs]
    if directory.exists():
        _write_files(directory, content, files)
    else:
        with _new_folder(directory) as folder:
            _write_files(folder, content, files)


@contextmanager
def _new_folder(directory):
    """Give a temporary folder, which takes its name when the block is done."""
    directory = directory.absolute()
    directory.parent.mkdir(parents=True, exist_ok=True)
    for leftover in directory.parent.glob(f".{glob.escape(directory.name)}.*.part"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.part")
    folder.mkdir()
    try:
        yield folder
        folder.rename(directory)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    """Remove the files of an earlier model, and what a killed process left."""
    old = OLD_FILES if (directory / OLD_MARKER).exists() else ()
    for path in directory.iterdir():
        named = NAMED_FILE.fullmatch(path.name) and path.name not in kept
        if named or path.name in old or re.fullmatch(r"\..+\.part", path.name):
            path.unlink()


def checksum(content):
    """SHA-256 of a description without its own checksum."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_content(directory):
    """The description of a model's folder, as it was written.

    Raises
    ------
    ModelFolderError
        If there is none, it is damaged, or of a version that is not known.
    """
    path = directory / MODEL_FILE
    if not directory.is_dir():
        raise ModelFolderError(f"there is no model folder {str(directory)!r}.")
    if not path.exists():
        raise ModelFolderError(
            f"{directory} has no {MODEL_FILE}: name a folder that save_model or `sklearn-cloud "
            "fit` wrote."
        )
    try:
        content = json.loads(read_bytes(path, LARGEST_DESCRIPTION).decode("utf-8"))
        version = content["format_version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ModelFolderError(
            f"{path} is damaged ({shorten(repr(error))}): fit the model again."
        ) from error
    if version not in (1, FORMAT_VERSION):
        raise ModelFolderError(
            f"{path} was written by another version of sklearn-cloud ({version=}): update the one "
            "that is older, or fit the model again."
        )
    if version == FORMAT_VERSION and content.get("sha256") != checksum(content):
        raise ModelFolderError(
            f"{path} was changed after it was written (its SHA-256 is another one): fit the model "
            "again."
        )
    return content


def read_bytes(path, largest=None):
    """Content of an ordinary file."""
    try:
        check_ordinary(path)
    except FileNotFoundError as error:
        raise ModelFolderError(str(error)) from None
    if largest is not None and path.stat().st_size > largest:
        raise ModelFolderError(f"{path} is larger than {largest} bytes.")
    return path.read_bytes()


def read_files(directory, entries):
    """Arrays, and the paths of the skops files, that a description names.

    Raises
    ------
    ModelFolderError
        If a file is missing, or its size or checksum is another one.
    """
    arrays, blobs = {}, []
    for entry in entries:
        name = entry["name"]
        path = directory / name
        if not NAMED_FILE.fullmatch(name):
            raise ModelFolderError(f"{directory / MODEL_FILE} names a file {name!r}.")
        if path.is_file() and path.stat().st_size != entry["bytes"]:
            raise ModelFolderError(f"{path} is not {entry['bytes']} bytes long: it is damaged.")
        data = read_bytes(path)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ModelFolderError(f"{path} is damaged: its SHA-256 is another one.")
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
    # safetensors gives views of the file's bytes, which cannot be written to
    return {name: np.array(array) for name, array in arrays.items()}
