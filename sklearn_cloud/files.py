"""Atomic writing of files, checksums, and the settings of unfinished work."""

import hashlib
import json
import logging
import os
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path

from .exceptions import ModelFolderError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

logger = logging.getLogger(__name__)


@contextmanager
def atomic_write(path, temporary=None):
    """Give a temporary path next to `path`, which is renamed to it when the block ends.

    Readers find either the old file or the complete new one, also after a killed run. If the block
    fails, the old file stays. The folder is created if needed.

    Parameters
    ----------
    path : str or path-like
    temporary : path-like, default=None
        The temporary path. None makes a unique one, so that several processes can write at once.

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


@contextmanager
def locked(path, wait=True):
    """Hold the lock of a file or folder, so that two processes do not write there at once.

    It ends with the process and leaves nothing behind. Other programs are not kept out, and neither
    is anyone on Windows or on a file system without locks: there, do not give two commands the same
    output.

    Parameters
    ----------
    path : pathlib.Path
        An existing file or folder.
    wait : bool, default=True
        Whether to wait for another process that holds the lock.

    Raises
    ------
    BlockingIOError
        Without `wait`, if another process holds the lock.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _lock(descriptor, path, wait)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor, path, wait):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            raise
        logger.warning("waiting for another process that writes to %s", path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        logger.info("%s cannot be locked: %s", path, error.strerror)


def is_locked(path):
    """Whether another process is writing this file, as far as `locked` can tell."""
    try:
        with locked(path, wait=False):
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


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
    """Check, before the work begins, that a file or folder can be created.

    Raises
    ------
    OSError
        If its folder, or the nearest existing one above it, is not writable.
    """
    parent = Path(path).absolute().parent
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise type(error)(
            f"{path} cannot be written ({error.strerror}): choose a writable folder."
        ) from error


def check_plan(path, plan, what):
    """Save the settings of some work or, if it was started before, compare them.

    Interrupted work thus resumes only with the settings it was started with.

    Parameters
    ----------
    path : pathlib.Path
        JSON file in the folder of the work, which is created if needed.
    plan : dict
        The settings; anything that JSON can express.
    what : str
        Name of the work in messages.

    Raises
    ------
    ValueError
        If the folder has work with other settings, or the file is damaged.
    """
    if not path.exists():
        write_text(path, json.dumps(plan, indent=1) + "\n")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        # settings that an older version did not save cannot be compared
        changed = sorted(key for key in plan if key in found and found[key] != plan[key])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{str(path)!r} is damaged ({error}): remove its folder") from error
    if changed:
        raise ValueError(
            f"{str(path.parent)!r} contains a {what} with other settings ({', '.join(changed)}): "
            f"choose another folder, or remove this one"
        )


def check_ordinary(path):
    """Raise an error unless this is a regular file; a device or a pipe might never end.

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    ModelFolderError
        If it is not a regular file.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing.")
    if not path.is_file():
        raise ModelFolderError(f"{path} is not a regular file.")


def read_text(path):
    """Return the text of a regular UTF-8 file; errors as of `check_ordinary` and `str.decode`."""
    check_ordinary(path)
    return path.read_text(encoding="utf-8")
