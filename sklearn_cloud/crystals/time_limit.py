"""Run a symmetry search in a process of its own, which ends if the search takes too long.

The symmetry finders are compiled code that cannot be interrupted. Searches that may take long (see
`limits.may_be_slow`) run in a helper process, which is started for the first of them and answers
the next ones too. When the time is over it ends itself, even if nobody waits for it any more.
"""

import atexit
import faulthandler
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from .errors import CrystalError
from .limits import SEARCH_MEMORY

_SERVE = "import sys; sys.path[:] = {path!r}; from {module} import serve; serve()"
_TOO_LARGE = f"the symmetry search needs more than {SEARCH_MEMORY / 2**30:g} GB of memory"


def within_limit(function, *arguments, seconds):
    """Call a function in the helper process.

    Parameters
    ----------
    function : callable
        Defined in a module, so that it can be pickled.
    *arguments
        Its arguments.
    seconds : float
        Largest time that it may take.

    Returns
    -------
    object
        The result of the function; its exceptions are raised.

    Raises
    ------
    CrystalError
        If it takes longer, needs too much memory, or crashes.
    """
    # a forked process has no use for the helper of its parent
    return _helpers.setdefault(os.getpid(), _Helper()).call(function, arguments, seconds)


class _Helper:
    """A process that calls functions, one at a time, and that may end at any moment."""

    def __init__(self):
        self.process = None
        self.lock = threading.Lock()

    def call(self, function, arguments, seconds):
        with self.lock:
            if self.process is None or self.process.poll() is not None:
                self.process = _start()
            start = time.monotonic()
            try:
                succeeded, result = _ask(self.process, (function, arguments, seconds))
            except (EOFError, BrokenPipeError, pickle.UnpicklingError):
                code = self.process.wait()
                self.end()
                raise _reason(time.monotonic() - start >= seconds, seconds, code) from None
            except BaseException:  # of Ctrl-C: do not leave an answer to the next question
                self.end()
                raise
        if succeeded:
            return result
        raise result

    def end(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # something is left to write
                pipe.close()


_helpers = {}  # by process


@atexit.register
def _end_helper():
    helper = _helpers.get(os.getpid())
    if helper is not None and helper.process is not None:
        helper.end()


def _start():
    command = _SERVE.format(path=sys.path, module=__name__)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", command], **pipes)


def _ask(process, question):
    process.stdin.write(pickle.dumps(question))
    process.stdin.flush()
    return pickle.load(process.stdout)


def _reason(late, seconds, code):
    if late:
        what = f"was ended after {seconds:g} seconds"
    else:
        what = f"crashed (exit code {code}), or needs more than {SEARCH_MEMORY / 2**30:g} GB"
    return CrystalError(
        f"the symmetry search {what}; use a smaller symprec, no angle_tolerance, or the other "
        f"backend"
    )


def serve():
    """Answer the questions on stdin, in the helper process."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = open(os.devnull, "w")  # noqa: SIM115 (until the process ends)
    for stream in (1, 2):  # what a library prints is no answer
        os.dup2(nowhere.fileno(), stream)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    limited = False
    while True:
        try:
            function, arguments, seconds = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        limited = limited or _limit_memory()
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            answer = True, function(*arguments)
        except MemoryError:
            answer = False, CrystalError(_TOO_LARGE)
        except Exception as error:  # noqa: BLE001 (raised by the process that asks)
            answer = False, error
        faulthandler.cancel_dump_traceback_later()
        answers.write(pickle.dumps(answer))
        answers.flush()


def _limit_memory():
    """Limit the memory on top of what the modules take; only Linux tells that and keeps it."""
    with suppress(ImportError, OSError):
        import resource

        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + SEARCH_MEMORY, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return True
