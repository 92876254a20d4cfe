"""The data folder of this machine, and downloads into it."""

import logging
import os
import sys
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from .files import atomic_write, sha256_of

DATA_HOME_VARIABLE = "SKLEARN_CLOUD_DATA"
CHUNK_BYTES = 1 << 20

logger = logging.getLogger(__name__)


def get_data_home(data_home=None):
    """Return the folder of data files and downloads.

    Parameters
    ----------
    data_home : str or path-like, default=None
        The folder. If None, the environment variable ``SKLEARN_CLOUD_DATA``; if that is
        not set either, ``sklearn_cloud`` in the user's cache folder (``~/.cache``, or
        ``~/Library/Caches`` on macOS, or ``%LOCALAPPDATA%`` on Windows).

    Returns
    -------
    pathlib.Path
        The folder, with ``~`` expanded. It is not created.

    Examples
    --------
    >>> from sklearn_cloud.datasets import get_data_home
    >>> get_data_home("crystals").name
    'crystals'
    """
    chosen = data_home or os.environ.get(DATA_HOME_VARIABLE) or _user_cache() / "sklearn_cloud"
    return Path(chosen).expanduser()


def _user_cache():
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def download(url, path, sha256, *, retries=3, timeout=30, wait=1.0, verbose=0):
    """Download a file, unless it exists already.

    The bytes go to a temporary file next to `path`, which is renamed once its checksum is
    verified; a lock lets one process at a time do this. An existing file is not changed.

    Parameters
    ----------
    url : str
        URL of the file.
    path : str or path-like
        Where to save the file. Missing folders are created.
    sha256 : str
        Expected SHA-256 (hexadecimal) of the file.
    retries : int, default=3
        Number of attempts in all.
    timeout : float, default=30
        Seconds to wait for an answer.
    wait : float, default=1.0
        Seconds before the second attempt; doubled before each further one.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    ConnectionError
        If the file cannot be fetched.
    ValueError
        If the downloaded file has another checksum.
    """
    from filelock import FileLock

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if path.exists():  # another process may have fetched it while this one waited
            return path
        # under the lock one name is enough, and what a killed download left is overwritten
        with atomic_write(path, path.with_name(f"{path.name}.part")) as part:
            _fetch_with_retries(url, part, path, retries, timeout, wait, verbose)
            _check_sha256(part, url, sha256)
    return path


def _fetch_with_retries(url, part, path, retries, timeout, wait, verbose):
    for attempt in range(1, retries + 1):
        try:
            return _fetch(url, part, timeout, verbose)
        except (OSError, HTTPException) as error:
            # A 4xx answer (no such file, not allowed) will not change by asking again.
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if refused or attempt == retries:
                raise ConnectionError(
                    f"could not download {url} (attempt {attempt} of {retries}: {error}). Without "
                    f"a network, copy the file to {path}, or set {DATA_HOME_VARIABLE} to a folder "
                    f"that contains it."
                ) from error
            logger.warning("download of %s failed (%s), trying again", url, error)
            time.sleep(wait * 2 ** (attempt - 1))


def _fetch(url, part, timeout, verbose):
    from tqdm.auto import tqdm

    with urllib.request.urlopen(url, timeout=timeout) as response, open(part, "wb") as file:
        size = response.headers.get("Content-Length")
        total = int(size) if size else None
        name = url.rsplit("/", 1)[-1]
        with tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=not verbose) as bar:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                bar.update(len(chunk))
        received = file.tell()
    if total is not None and received != total:
        # urllib ends quietly when the connection closes early
        raise ConnectionError(f"connection closed after {received} of {total} bytes")


def _check_sha256(part, url, expected):
    found = sha256_of(part)
    if found != expected:
        raise ValueError(
            f"{url} has sha256 {found}, but {expected} was expected: the download is damaged, or "
            "the file has changed at its source. Nothing was saved."
        )
