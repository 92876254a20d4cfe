"""Messages of the commands: results on standard output, everything else on standard error."""

import signal
import sys
import threading
from contextlib import contextmanager

from ..wording import cut_middle

LISTED = 20  # rows or files explained in a message; the rest are only named
LONGEST = 240  # characters of one explanation


class UsageError(ValueError):
    """Arguments that contradict each other: exit code 2."""


class Interrupted(BaseException):
    """Ctrl-C."""


class ReaderGoneError(Exception):
    """The reader of standard output, such as `head`, has closed it."""


@contextmanager
def stop_at_ctrl_c():
    """Turn Ctrl-C into `Interrupted` inside the block.

    skorch ends training early at a KeyboardInterrupt: a cross-validation would continue with its
    next fold, and a command would save a model that is only half trained.
    """
    here = threading.current_thread() is threading.main_thread()
    # A process in the background ignores Ctrl-C and must continue to do so.
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(signum, frame):
    raise Interrupted


@contextmanager
def standard_output():
    """Give standard output; raise `ReaderGoneError` if it is closed."""
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGoneError from None


def say(text=""):
    """Print a line of the result."""
    with standard_output() as stream:
        stream.write(f"{text}\n")


def note(text):
    """Print a line about the progress of the work."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def show_progress(arguments):
    """Whether to show progress bars: not in a file or a pipe, and not with --quiet."""
    return int(not arguments.quiet and sys.stderr.isatty())


def describe_error(error):
    """Return the message of an exception, without the error number of the system."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def list_problems(problems):
    """Return a line for each row or file that cannot be used.

    Parameters
    ----------
    problems : dict of str to str
        Name of the row or file, and its problem.

    Returns
    -------
    str
    """
    lines = []
    for name, problem in list(problems.items())[:LISTED]:
        lines.append(f"\n  {name}: {cut_middle(problem, LONGEST)}")
    if len(problems) > LISTED:
        rest = list(problems)[LISTED:]
        lines.append(f"\n  and {len(rest)} more: {', '.join(rest)}")
    return "".join(lines)
