"""Files of models, read and written with care."""

import os
import secrets

from .exceptions import ModelFolderError


def write_file(path, data):
    """Write bytes to a file, which keeps its old content until all are written."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with open(partial, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def check_ordinary(path):
    """Raise an error unless there is an ordinary file; a device or a pipe could go on for ever.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ModelFolderError
        If it is something else.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing.")
    if not path.is_file():
        raise ModelFolderError(f"{path} is not an ordinary file.")


def read_text(path):
    """Content of an ordinary UTF-8 file, or an error as `check_ordinary` and `str.decode` give."""
    check_ordinary(path)
    return path.read_text(encoding="utf-8")
