"""Minutes and memory of CrystalRegressor for tables of several sizes.

    python benchmarks/speed/ensemble_cost.py --rows 100 600 --efforts fast default
    python benchmarks/speed/ensemble_cost.py --rows 5000 100000 --efforts fast

Rows of the MatBench task mp_e_form are drawn at random from the training rows of fold 0. Each pair
of size and effort runs in a process of its own: fit, then predict 1,000 other training rows.
Finished pairs are kept in `benchmarks/results/ensemble_cost.json`; the same command resumes. The
CPU seconds are those of one thread (set OMP_NUM_THREADS=1) and, unlike the seconds, hardly depend
on other work on the machine.
"""

import json
import re
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from sklearn_cloud import CrystalRegressor
from sklearn_cloud.datasets import fetch_matbench

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser, parse_arguments, script_provenance, write_json

TASK = "mp_e_form"
PREDICTED = 1000
NAME = "ensemble_cost"


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--rows", nargs="+", type=int, default=[100, 600])
    parser.add_argument("--efforts", nargs="+", default=["fast", "default"])
    arguments = parse_arguments(parser)
    path = RESULTS / f"{NAME}.json"
    entries = json.loads(path.read_text("utf-8"))["entries"] if path.exists() else []
    done = {(entry["rows"], entry["effort"]) for entry in entries}
    data = fetch_matbench(TASK, data_home=arguments.data_home, download=False)
    for effort in arguments.efforts:
        for n_rows in arguments.rows:
            if (n_rows, effort) not in done:
                entries.append(measure_apart(data, n_rows, effort, arguments.seed))
                content = {"task": TASK, "seed": arguments.seed, "entries": entries}
                write_json(NAME, content | {"provenance": script_provenance(device="cpu")})
                print(json.dumps(entries[-1]), flush=True)


def measure_apart(data, n_rows, effort, seed):
    """Return what a new process measures that holds no other rows."""
    order = np.random.RandomState(seed).permutation(data.folds[0][0])
    new, rows = order[:PREDICTED], order[PREDICTED : PREDICTED + n_rows]
    tables = [(data.structures[part], data.target[part]) for part in (rows, new)]
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (*tables, effort, seed))


def measure(training, other, effort, seed):
    """Return seconds and memory of one fit and one prediction."""
    before = peak_memory()
    model = CrystalRegressor(effort, device="cpu", random_state=seed, verbose=1)
    _, fit = timed(model.fit, *training)
    peak = peak_memory()
    crystals, target = other
    predicted, predict = timed(model.predict, crystals)
    return {
        "rows": len(training[1]),
        "effort": effort,
        "fit": fit,
        "predict": {"rows": len(target), **predict},
        "peak_memory_mib": peak,
        "peak_memory_before_mib": before,
        "expected_error": model.expected_error_,
        "error_of_predictions": float(np.abs(predicted - target).mean()),
        "weights": model.weights_,
        "member_seconds": model.seconds_,
    }


def timed(function, *arguments):
    """Return the result, and the time as wall-clock and CPU seconds."""
    start, start_cpu = time.perf_counter(), time.process_time()
    result = function(*arguments)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    return result, {"seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}


def peak_memory():
    """Return the peak memory of this process so far, in MiB (Linux)."""
    # ru_maxrss would count the parent, whose memory a new process has for a moment
    status = Path("/proc/self/status").read_text("ascii")
    return round(int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024)


if __name__ == "__main__":
    main()
