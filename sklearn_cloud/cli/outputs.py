"""Output files and folders: they appear when complete, and replace others only when asked to."""

import errno
import glob
import shutil
from contextlib import contextmanager

from ..files import atomic_write, check_writable, is_locked, locked

SPARE_BYTES = 1 << 20  # with less, a disk counts as full


def check_file(path, overwrite):
    """Check, before the work begins, that a file can be written.

    Raises
    ------
    OSError
        If it exists already, is a folder, or its folder is not writable.
    """
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder: choose a file name.")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists: choose another name, or replace it with --overwrite."
        )
    check_writable(path)


def check_folder(path, overwrite, marker):
    """Check, before the work begins, that a folder can be written.

    Only a folder that is empty or contains the file `marker` is replaced: another one may have
    been named by mistake.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file: choose a folder.")
    if path.is_dir() and any(path.iterdir()):
        if not (path / marker).is_file():
            raise FileExistsError(f"{path} contains other files: choose another folder.")
        if not overwrite:
            raise FileExistsError(
                f"{path} exists: choose another name, or replace it with --overwrite."
            )
    check_writable(path)


@contextmanager
def new_file(path):
    """Give a temporary path next to `path`, which is renamed to it when the block ends.

    Remains of the same file from a killed process are removed.

    Raises
    ------
    FileExistsError
        If another process is writing the same file.
    """
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        if is_locked(leftover):
            raise FileExistsError(
                f"{path} is being written by another command: wait for it, or choose another name."
            )
        leftover.unlink(missing_ok=True)
    with atomic_write(path) as temporary:
        temporary.touch()
        with locked(temporary):
            yield temporary


@contextmanager
def full_disk_named(path):
    """Turn the "disk full" errors of different libraries into one message."""
    try:
        yield
    except Exception as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        if not full and not (path.exists() and shutil.disk_usage(path).free < SPARE_BYTES):
            raise
        raise OSError(
            f"the disk of {path} is full: free some space, then run the same command again to "
            "resume."
        ) from error
