"""The command line: `sklearn-cloud`, or `python -m sklearn_cloud`."""

import argparse
import os
import sys
import traceback
import warnings
from importlib import import_module

from ._version import __version__
from .cli import COMMANDS
from .cli.messages import (
    Interrupted,
    ReaderGoneError,
    UsageError,
    describe_error,
    note,
    stop_at_ctrl_c,
)
from .cli.options import HelpFormatter

DESCRIPTION = """\
Predict properties of crystals with CLOUD, a foundation model that reads a crystal as a short
string of its symmetry and composition.

From a folder of CIF files and a table of targets (columns: file, band_gap) to predictions:

    sklearn-cloud strings my_crystals/ -o strings.csv         the input of the model
    sklearn-cloud fit targets.csv --target band_gap -o gaps   fine-tune, save the model in gaps/
    sklearn-cloud predict gaps new_crystals/*.cif -o new.csv  predict

`sklearn-cloud COMMAND --help` explains a command with examples.
"""
EPILOG = """\
Results go to files or to standard output, progress and messages to standard error.
Exit codes: 0 done, 1 error, 2 wrong usage, 130 interrupted with Ctrl-C.
"""


def build_parser():
    """Return the parser of all commands, without heavy imports."""
    parser = argparse.ArgumentParser(
        prog="sklearn-cloud",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=HelpFormatter,
    )
    version = f"sklearn-cloud {__version__}"
    parser.add_argument("-V", "--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS.values():
        import_module(f".cli.{module}", __package__).add_parser(commands)
    return parser


def main(argv=None):
    """Run one command.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; None uses those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 error, 2 wrong usage, 130 interrupted.
    """
    arguments = build_parser().parse_args(argv)
    with warnings.catch_warnings(), stop_at_ctrl_c():
        warnings.showwarning = _show_warning
        try:
            arguments.run(arguments)
        except (Interrupted, KeyboardInterrupt):
            note(f"\ninterrupted: {arguments.when_interrupted}")
            return 130
        except ReaderGoneError:
            # otherwise Python complains at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
            if arguments.traceback:
                traceback.print_exc()
            note(f"error: {describe_error(error)}")
            return 2 if isinstance(error, UsageError) else 1
    return 0


def _show_warning(message, category, filename, lineno, file=None, line=None):
    note(f"warning: {message}")


if __name__ == "__main__":
    sys.exit(main())
