"""Work in the joblib workers that the user asked for, whatever their backend."""

from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

#: Tasks that are prepared ahead: enough to keep the workers busy, more would only fill the memory.
AHEAD = "2*n_jobs"


def run_in_workers(function, tasks, n_jobs=None, ordered=True):
    """Results of a function, as they come.

    Parameters
    ----------
    function : callable
        Of a module, so that it can be pickled.
    tasks : iterable of tuple
        Arguments of each call; taken from the iterable as workers become free.
    n_jobs : int, default=None
        Number of joblib workers; None is 1 unless in a `joblib.parallel_config` context.
    ordered : bool, default=True
        Whether results come in the order of the tasks.

    Yields
    ------
    object
        What the function returned.

    Notes
    -----
    Backends that cannot return a generator (multiprocessing, Ray, Dask) compute all results
    before the first is given.
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
