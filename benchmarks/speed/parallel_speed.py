"""CPU seconds of symmetry strings in one process and in several: what sharing the work costs.

    OMP_NUM_THREADS=1 python benchmarks/speed/parallel_speed.py --crystals 20000 --workers 2

The same Structure objects are turned into strings in the calling process, then by joblib workers.
The CPU seconds are those of all processes together, without the start of the workers. On a machine
with enough free cores, the share of the first in the second is the parallel efficiency; on a busy
one it is what the sharing allows at most. Needs `corpus/mp_structures.tsv.xz` in the data folder
and psutil.
"""

import sys
import time
from pathlib import Path

import psutil

from sklearn_cloud import SymmetryStringTransformer

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import (
    argument_parser,
    parse_arguments,
    sample_corpus,
    script_provenance,
    write_json,
)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--crystals", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parse_arguments(parser)
    structures = sample_corpus(arguments)
    runs = [measure(structures, n_jobs) for n_jobs in (1, arguments.workers)]
    if runs[0].pop("strings") != runs[1].pop("strings"):
        sys.exit("The workers' strings differ from those of one process.")
    result = {
        "crystals": len(structures),
        "runs": runs,
        "efficiency_by_cpu": runs[0]["cpu_seconds"] / runs[1]["cpu_seconds"],
    }
    print(write_json("parallel_speed", {**script_provenance(seed=arguments.seed), **result}))


def measure(structures, n_jobs):
    """CPU seconds of all processes for the strings of the structures."""
    transformer = SymmetryStringTransformer(n_jobs=n_jobs, on_error="warn")
    transformer.transform(structures[:1000])  # imports and the start of the workers do not count
    before, start = cpu_seconds(), time.perf_counter()
    strings = transformer.transform(structures).tolist()
    run = {
        "workers": n_jobs,
        "cpu_seconds": sum(cpu_seconds()) - sum(before),
        "of_the_caller": cpu_seconds()[0] - before[0],
        "wall_seconds": time.perf_counter() - start,
    }
    print("  ".join(f"{name} {value:.4g}" for name, value in run.items()), flush=True)
    return {**run, "strings": strings}


def cpu_seconds():
    """CPU seconds of this process, and of the processes that it has started."""
    here = psutil.Process()
    processes = [here, *here.children(recursive=True)]
    times = [process.cpu_times() for process in processes]
    mine, *others = [one.user + one.system for one in times]
    return mine, sum(others) + times[0].children_user + times[0].children_system


if __name__ == "__main__":
    main()
