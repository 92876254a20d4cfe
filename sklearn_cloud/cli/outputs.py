"""Files and folders that appear when they are complete, and never replace others unasked."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from ..files import check_writable


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
def new_folder(path):
    """Give a temporary folder next to `path`, which takes that name when the block is done."""
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.mkdir()
    try:
        yield temporary
        _replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(temporary, path):
    """Put a folder in the place of another, which comes back if that fails."""
    if not path.exists():
        temporary.rename(path)
        return
    old = temporary.with_suffix(".old")
    path.rename(old)
    try:
        temporary.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old)
