"""Files that appear when they are complete, their checksums, and the plan of unfinished work."""

import hashlib
import json
import os
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .exceptions import ModelFolderError


@contextmanager
def atomic_write(path, temporary=None):
    """Give a temporary path next to `path`, which takes that name when the block is done.

    So a reader finds the old file or the whole new one, and a run that is killed leaves no half of
    one. If the block fails, the old file stays. The folder is made if needed.

    Parameters
    ----------
    path : str or path-like
    temporary : path-like, default=None
        The temporary path. None is one of its own, as several processes may write at once.

    Yields
    ------
    pathlib.Path
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary or path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write a text file as `atomic_write` does."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_file(path, data):
    """Write bytes as `atomic_write` does, through to the disk."""
    with atomic_write(path) as temporary, open(temporary, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sha256_of(path):
    """SHA-256 of a file as a hexadecimal string."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_writable(path):
    """Find out before the work begins whether a file or folder can be made.

    Raises
    ------
    OSError
        If the folder that it would be in, or the first one above it that exists, cannot be
        written.
    """
    parent = Path(path).absolute().parent
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise type(error)(
            f"{path} cannot be written ({error.strerror}): choose a folder that you may write to."
        ) from error


def check_plan(path, plan, what):
    """Write down the plan of some work or, where there is one, compare with it.

    So work that was interrupted resumes with the settings that it was started with.

    Parameters
    ----------
    path : pathlib.Path
        JSON file in the folder of the work, which is made if needed.
    plan : dict
        Anything that JSON can express.
    what : str
        The work, as the message calls it.

    Raises
    ------
    ValueError
        If the folder has work with another plan, or the file is damaged.
    """
    if not path.exists():
        write_text(path, json.dumps(plan, indent=1) + "\n")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        # what an older version did not write down cannot be compared
        changed = sorted(key for key in plan if key in found and found[key] != plan[key])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is damaged: {error}; remove its folder") from error
    if changed:
        raise ValueError(
            f"{str(path.parent)!r} has a {what} with other {', '.join(changed)}: choose another "
            f"folder, or remove it"
        )


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
