"""Files and folders that appear when they are complete, and never replace others unasked."""

import errno
import glob
import shutil
from contextlib import contextmanager

from ..files import atomic_write, check_writable

SPARE_BYTES = 1 << 20  # with less, a disk counts as full


def check_file(path, overwrite):
    """Find out before the work begins whether a file can be written.

    Raises
    ------
    OSError
        If it is there already, is a folder, or its folder does not let it be made.
    """
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder: name a file.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists: choose another name, or replace it by --overwrite.")
    check_writable(path)


def check_folder(path, overwrite, marker):
    """As `check_file`, for a folder.

    Only a folder that holds the file `marker`, or nothing, is replaced: it may be a slip of the
    fingers.
    """
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{path} is a file: name a folder.")
    if path.is_dir() and any(path.iterdir()):
        if not (path / marker).is_file():
            raise FileExistsError(f"{path} is a folder with other things: choose another name.")
        if not overwrite:
            raise FileExistsError(
                f"{path} exists: choose another name, or replace it by --overwrite."
            )
    check_writable(path)


@contextmanager
def new_file(path):
    """Give a temporary path next to `path`, which takes that name when the block is through.

    What a killed process left of the same file is removed.
    """
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        leftover.unlink(missing_ok=True)
    with atomic_write(path) as temporary:
        yield temporary


@contextmanager
def full_disk_named(path):
    """Say that a disk is full, which every library that writes files says in its own way."""
    try:
        yield
    except Exception as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        if not full and not (path.exists() and shutil.disk_usage(path).free < SPARE_BYTES):
            raise
        raise OSError(
            f"the disk of {path} is full: make room on it, and give the same command again to "
            "resume."
        ) from error
