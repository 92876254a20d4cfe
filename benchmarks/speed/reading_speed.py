"""Files read and turned into strings per second: a folder of CIF files, by number of workers.

    OMP_NUM_THREADS=1 python benchmarks/speed/reading_speed.py my_cifs --workers 1 2

The fastest of several repeats. The CPU seconds are those of the calling process alone: with several
workers what is left of them cannot be shared out.
"""

import argparse
import time
import warnings
from pathlib import Path

from sklearn_cloud import SymmetryStringTransformer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--files", type=int, help="the first so many only")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    files = sorted(arguments.folder.rglob("*.cif"))[: arguments.files]
    if not files:
        parser.error(f"there are no .cif files in {arguments.folder}")
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
