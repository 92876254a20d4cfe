"""Where studies are kept, and which of their trials are running."""

import os
import re
import secrets
import warnings
from pathlib import Path

import optuna
from filelock import FileLock, Timeout
from optuna.trial import TrialState

_WORKER = re.compile(r"\d+-[0-9a-f]{8}")  # process id, and something that is never used again


def open_storage(storage, heartbeat=60):
    """Where a study is kept, so that it can be resumed and shared by processes.

    Parameters
    ----------
    storage : str, path-like, optuna.storages.BaseStorage or None
        A path is a journal file, which several processes of one machine (or of machines with a
        common file system) can write to without any server; a folder next to it,
        ``<path>.locks``, tells which of them are alive. A URL with "://" is a database, such as
        "postgresql+psycopg://user@host/name". None keeps the study in memory.
    heartbeat : int, default=60
        Seconds between the signs of life of a running trial in a database; after two of them
        are missing, the other workers mark the trial as failed. A journal needs none: the locks
        of a process end with it.

    Returns
    -------
    optuna.storages.BaseStorage

    Examples
    --------
    >>> from sklearn_cloud.tuning import open_storage
    >>> type(open_storage(None)).__name__
    'InMemoryStorage'
    """
    if storage is None:
        return optuna.storages.InMemoryStorage()
    if isinstance(storage, optuna.storages.BaseStorage):
        return storage
    location = os.fspath(storage)
    if "://" in location:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(location, heartbeat_interval=heartbeat)
    return Journal(Path(location))


class Journal(optuna.storages.JournalStorage):
    """A journal file that survives the death of its writers at any byte.

    Parameters
    ----------
    path : pathlib.Path
    """

    def __init__(self, path):
        self.locks = Path(f"{path}.locks")
        self.locks.mkdir(exist_ok=True)
        lock = _JournalLock(path, self.locks / "write")
        super().__init__(optuna.storages.journal.JournalFileBackend(str(path), lock))


class _JournalLock:
    """Lock of a journal: it ends with its process, and removes what a killed one left half."""

    def __init__(self, journal, path):
        self._journal = journal
        self._path = path
        self._lock = None

    def acquire(self):
        self._lock = FileLock(self._path)
        self._lock.acquire()
        _remove_torn_line(self._journal)
        return True

    def release(self):
        self._lock.release()
        self._lock = None


def _remove_torn_line(path):
    """Cut off what follows the last line end: a killed process has not written all of it."""
    with open(path, "rb+") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


class Worker:
    """One of the processes that work on a study; a context manager.

    Parameters
    ----------
    study : optuna.Study
    storage : optuna.storages.BaseStorage
        Its storage. Only a `Journal` can tell which trials are running; for others there are
        none, and turns are not taken.

    Attributes
    ----------
    name : str
        Kept in the attribute "claim" of a trial that this worker runs.
    """

    def __init__(self, study, storage):
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._study = study
        self._storage = storage if isinstance(storage, Journal) else None

    def __enter__(self):
        if self._storage is not None:
            self._alive = FileLock(self._storage.locks / self.name)
            self._alive.acquire()
            self._turn = FileLock(self._storage.locks / "turn")
        return self

    def __exit__(self, *_):
        if self._storage is not None:
            self._alive.release()
            (self._storage.locks / self.name).unlink(missing_ok=True)

    def take_turn(self):
        """Wait until no other worker is about to start a trial."""
        if self._storage is not None:
            self._turn.acquire()

    def end_turn(self):
        """Let the others start trials; it does no harm to call it again."""
        if self._storage is not None:
            self._turn.release()

    def count_running(self):
        """Number of trials that a living process runs; those of dead ones wait to be run again.

        Call it during a turn only.
        """
        if self._storage is None:
            return 0
        n_running = 0
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self._lives(trial.user_attrs.get("claim")):
                n_running += 1
            else:
                self._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
        return n_running

    def _lives(self, name):
        if not isinstance(name, str) or not _WORKER.fullmatch(name):
            return False  # killed before it could claim the trial
        path = self._storage.locks / name
        if not path.exists():
            return False
        try:
            with FileLock(path).acquire(timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            return True
        return False
