"""Files read and turned into strings per second: a folder of CIF files, by number of workers.

python benchmarks/reading_speed.py my_cifs --workers 1 2 --files 2000
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
    arguments = parser.parse_args()
    files = sorted(arguments.folder.rglob("*.cif"))[: arguments.files]
    if not files:
        parser.error(f"there are no .cif files in {arguments.folder}")
    # imports and the start of the workers are not what is measured
    for n_jobs in arguments.workers:
        read(files[: 4 * n_jobs], n_jobs)
    for n_jobs in arguments.workers:
        start = time.perf_counter()
        strings = read(files, n_jobs)
        seconds = time.perf_counter() - start
        n_read = sum(string is not None for string in strings)
        print(
            f"{n_jobs} workers: {len(files) / seconds:.0f} files/s "
            f"({n_read} of {len(files)} files in {seconds:.1f} s)"
        )


def read(files, n_jobs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the files that cannot be read
        return SymmetryStringTransformer(on_error="warn", n_jobs=n_jobs).transform(files)


if __name__ == "__main__":
    main()
