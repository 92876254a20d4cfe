"""Provenance of a result: command, date, machine and versions."""

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
    """Return versions, machine and command of a run.

    Parameters
    ----------
    command : list of str
        The program, as a user types it.
    arguments : list of str
        Its arguments. Folders of this machine are left out: absolute paths are cut to their last
        part, and the data folder is ``$SKLEARN_CLOUD_DATA``.
    **extra
        Further entries.

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
    """Return {package: version} of the packages for scores; None if not installed."""
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
