"""Run tasks in joblib workers, with any backend, on this machine or on others."""

import hashlib
import socket
from concurrent.futures import BrokenExecutor, CancelledError
from functools import lru_cache
from importlib.resources import files

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

from .._version import __version__

#: Tasks prepared in advance: enough to keep the workers busy without filling the memory.
AHEAD = "2*n_jobs"
#: Tables of the package that strings and tokens depend on.
TABLES = ("generator_strings.json", "vocabulary.json", "wyckoff_positions.json")


def run_in_workers(function, tasks, n_jobs=None, ordered=True):
    """Yield results of a function as they are computed.

    Parameters
    ----------
    function : callable
        Defined in a module, so that it can be pickled.
    tasks : iterable of tuple
        Arguments of each call; consumed as workers become free.
    n_jobs : int, default=None
        Number of joblib workers; None is 1 unless in a `joblib.parallel_config` context.
    ordered : bool, default=True
        Whether results come in the order of the tasks.

    Yields
    ------
    object
        Result of the function.

    Raises
    ------
    RuntimeError
        If workers are lost (killed, or their scheduler has disappeared), or have another version
        of sklearn-cloud or of its vocabulary.

    Notes
    -----
    Backends that cannot return a generator, such as multiprocessing and Ray, compute all results
    before the first one is yielded.
    """
    if effective_n_jobs(n_jobs) == 1:
        for arguments in tasks:
            yield function(*arguments)
        return
    backend, _ = get_active_backend()
    return_as = "list"
    if getattr(backend, "supports_return_generator", False):
        return_as = "generator" if ordered else "generator_unordered"
    pool = Parallel(n_jobs=n_jobs, return_as=return_as, pre_dispatch=AHEAD, batch_size=1)
    expected = installed()
    try:
        yield from pool(delayed(_call)(function, expected, *arguments) for arguments in tasks)
    except BrokenExecutor as error:
        raise RuntimeError(
            "a worker process was killed, perhaps because the memory was full: use a smaller "
            f"n_jobs. {error}"
        ) from error
    except CancelledError as error:
        raise RuntimeError(
            "the connection to the workers is lost: check that their scheduler is running, and "
            f"connect to it again. {error}"
        ) from error


@lru_cache(maxsize=1)
def installed():
    """Return the version of the package and a checksum of the tables that strings depend on."""
    folder = files(__package__.partition(".")[0]) / "data"
    tables = b"\n".join((folder / name).read_bytes() for name in TABLES)
    return f"{__version__}, tables {hashlib.sha256(tables).hexdigest()[:12]}"


def _call(function, expected, *arguments):
    """Call the function in a worker, unless the worker has another version."""
    if installed() != expected:
        raise RuntimeError(
            f"the worker on {socket.gethostname()} has another version of sklearn-cloud or of its "
            f"vocabulary ({installed()}) than the calling process ({expected}): install the same "
            "one on all machines"
        )
    return function(*arguments)
