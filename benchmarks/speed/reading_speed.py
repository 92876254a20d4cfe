"""Files read and turned into strings per second: a folder of CIF files, by number of workers.

    OMP_NUM_THREADS=1 python benchmarks/speed/reading_speed.py my_cifs --workers 1 2

The fastest of several repeats. The CPU seconds are those of the calling process alone: with several
workers what is left of them cannot be shared out. With --readers it compares what reads the files,
in one process, without any string:

    python benchmarks/speed/reading_speed.py my_cifs --files 500 --readers
"""

import argparse
import time
import warnings
from pathlib import Path

import ase.io
import gemmi
from pymatgen.core import Structure

from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.crystals import read_crystal


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--files", type=int, help="the first so many only")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--readers", action="store_true", help="compare readers of CIF files")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.rglob("*.cif"))[: arguments.files]
    if not files:
        parser.error(f"there are no .cif files in {arguments.folder}")
    if arguments.readers:
        compare_readers(files, arguments.repeats)
        return
    # imports and the start of the workers are not what is measured
    for n_jobs in arguments.workers:
        read(files[: 4 * n_jobs], n_jobs)
    for n_jobs in arguments.workers:
        runs = [measure(files, n_jobs) for _ in range(arguments.repeats)]
        n_read, seconds, cpu_seconds = (min(column) for column in zip(*runs, strict=True))
        print(
            f"workers: {n_jobs}; {len(files) / seconds:.0f} files/s, {cpu_seconds:.2f} CPU seconds "
            f"({n_read} of {len(files)} files could be read)"
        )


def compare_readers(files, repeats):
    """Print CPU seconds of each reader, the fewest of several rounds in which they take turns."""
    readers = {
        "sklearn_cloud (gemmi)": read_crystal,
        "gemmi, text only": lambda file: gemmi.cif.read(str(file)),
        "pymatgen": lambda file: Structure.from_file(file),
        "ase": lambda file: ase.io.read(file, format="cif"),
    }
    seconds = {name: [] for name in readers}
    for _ in range(repeats):
        for name, reader in readers.items():
            start = time.process_time()
            unread = sum(not can_read(reader, file) for file in files)
            seconds[name].append((time.process_time() - start, unread))
    for name, found in seconds.items():
        fewest, unread = min(found)
        print(f"{name:22} {len(files) / fewest:6.0f} files per CPU second, {unread} not read")


def can_read(reader, file):
    """Whether a reader gives a crystal; readers raise errors of many classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reader(file)
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            return False
    return True


def measure(files, n_jobs):
    """Files that could be read, seconds, and CPU seconds of this process."""
    start, cpu_start = time.perf_counter(), time.process_time()
    strings = read(files, n_jobs)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return sum(string is not None for string in strings), seconds, cpu_seconds


def read(files, n_jobs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the files that cannot be read
        return SymmetryStringTransformer(on_error="warn", n_jobs=n_jobs).transform(files)


if __name__ == "__main__":
    main()
