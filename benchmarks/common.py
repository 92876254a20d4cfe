"""What the benchmark scripts share: arguments, provenance, result files."""

import argparse
import json
import os
import sys
from pathlib import Path

from sklearn_cloud.evaluation.provenance import provenance
from sklearn_cloud.files import write_text

BENCHMARKS = Path(__file__).resolve().parent
RESULTS = BENCHMARKS / "results"


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


def sample_corpus(arguments):
    """Draw `arguments.crystals` structures from the Materials Project table of the corpus."""
    from random import Random

    from pymatgen.core import Structure

    from sklearn_cloud.pretraining.corpus_sources import read_structure_table

    table = arguments.data_home / "corpus" / "mp_structures.tsv.xz"
    crystals = [crystal for _, crystal in read_structure_table(table)]
    return [
        Structure(c.lattice, [c.species[kind][0][0] for kind in c.kinds], c.positions)
        for c in Random(arguments.seed).sample(crystals, arguments.crystals)
    ]


def script_provenance(**extra):
    """Versions, machine and command of the script that runs."""
    script = Path(sys.argv[0]).resolve()
    inside = script.is_relative_to(BENCHMARKS)
    name = script.relative_to(BENCHMARKS).as_posix() if inside else script.name
    return provenance(["python", f"benchmarks/{name}"], sys.argv[1:], **extra)


def peak_megabytes():
    """Largest memory of this process so far; on Linux.

    getrusage would count the parent, whose memory a new process has for a moment.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def write_json(name, content):
    """Write `benchmarks/results/<name>.json` and return its path."""
    path = RESULTS / f"{name}.json"
    write_text(path, json.dumps(content, indent=1) + "\n")
    return path
