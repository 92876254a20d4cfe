"""Files and folders that appear when they are complete, and never replace others unasked."""

import errno
import glob
import os
import secrets
import shutil
import tempfile
from contextlib import contextmanager

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
    check_parent(path)


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
    check_parent(path)


def check_parent(path):
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise type(error)(
            f"{path} cannot be written ({error.strerror}): choose a folder that you may write to."
        ) from error


@contextmanager
def new_file(path):
    """Give a temporary path next to `path`, which takes that name when the block is through.

    What a killed process left of the same file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        leftover.unlink(missing_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
