"""Run tasks in joblib workers, with any backend."""

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

#: Tasks prepared in advance: enough to keep the workers busy without filling the memory.
AHEAD = "2*n_jobs"


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

    Notes
    -----
    Backends that cannot return a generator (multiprocessing, Ray, Dask) compute all results
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
    yield from pool(delayed(function)(*arguments) for arguments in tasks)
