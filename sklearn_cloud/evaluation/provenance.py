"""Where a result comes from: command, date, machine and versions."""

import importlib.metadata
import os
import platform
import shlex
from datetime import UTC, datetime
from pathlib import Path

from .._version import __version__
from ..downloads import DATA_HOME_VARIABLE

PACKAGES = ("numpy scipy scikit-learn skorch torch transformers spglib moyopy pymatgen").split()


def provenance(command, arguments, **extra):
    """Versions, machine and command of a run.

    Parameters
    ----------
    command : list of str
        The program, as a user types it.
    arguments : list of str
        Its arguments. No folder of this machine is kept: of absolute paths the last part is, and
        the data folder is ``$SKLEARN_CLOUD_DATA``.
    **extra
        What else there is to say.

    Returns
    -------
    dict
    """
    return {
        "command": shlex.join([*command, *map(_without_folder, arguments)]),
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": list_versions(),
        **extra,
    }


def list_versions():
    """{package: version} of what computes a score; None for one that is not installed."""
    versions = {"sklearn-cloud": __version__}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _without_folder(argument):
    home = os.environ.get(DATA_HOME_VARIABLE)
    if home:
        argument = argument.replace(home, f"${DATA_HOME_VARIABLE}")
    return Path(argument).name if Path(argument).is_absolute() else argument
