"""What the benchmark scripts share: arguments, provenance, result files."""

import argparse
import importlib.metadata
import json
import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from sklearn_cloud import __version__

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("numpy scipy scikit-learn skorch torch transformers spglib moyopy pymatgen").split()


def argument_parser(doc):
    """Parser with the arguments of every benchmark."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data-home",
        type=Path,
        default=os.environ.get("SKLEARN_CLOUD_DATA"),
        help="folder of the data files (default: environment variable SKLEARN_CLOUD_DATA)",
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser


def parse_arguments(parser):
    """Parse the command line; a script that reads data needs to know where they are."""
    arguments = parser.parse_args()
    if arguments.data_home is None:
        parser.error("set --data-home or SKLEARN_CLOUD_DATA to the folder of the data files")
    return arguments


def provenance(**extra):
    """Versions, machine and command of the run."""
    versions = {"sklearn-cloud": __version__}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "command": shlex.join(["python", *_relative(sys.argv)]),
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": versions,
        **extra,
    }


def _relative(arguments):
    """The command as another user types it: no folders of this machine."""
    home = os.environ.get("SKLEARN_CLOUD_DATA")
    script = f"benchmarks/{Path(arguments[0]).name}"
    rest = [a.replace(home, "$SKLEARN_CLOUD_DATA") if home else a for a in arguments[1:]]
    return [script, *(Path(a).name if Path(a).is_absolute() else a for a in rest)]


def write_result(name, result):
    """Write `benchmarks/results/<name>.json` and return its path."""
    path = RESULTS / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.replace(path)
    return path
