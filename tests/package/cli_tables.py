"""Small crystals and tables for the tests of the command line."""

import csv
import os
import subprocess
import sys
from pathlib import Path

from pymatgen.core import Lattice, Structure

import sklearn_cloud

PAIRS = [(cation, anion) for cation in ("Na", "K", "Rb", "Cs") for anion in ("F", "Cl", "Br")]


def cscl(cation, anion, a=4.0):
    return Structure(Lattice.cubic(a), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def write_table(path, header, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def read_rows(path, delimiter=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def run_python(*arguments):
    """Run Python in a process of its own, with this package."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sklearn_cloud.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, env=environment
    )
