"""Time and memory of predicting many strings: they must not need more memory than their number.

    OMP_NUM_THREADS=1 python benchmarks/speed/prediction_speed.py --n-strings 10000 100000

A `CloudRegressor` of the bundled encoder predicts distinct random strings of 25 tokens in the mean,
each number of strings in a process of its own. CPU seconds of `predict`, and the largest memory of
the process before and after it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from training_speed import synthetic_strings

from sklearn_cloud import CloudRegressor, load_model, save_model

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import peak_megabytes, script_provenance, write_json


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-strings", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--encoder", default="mini", choices=["mini", "small"])
    parser.add_argument("--model", help=argparse.SUPPRESS)  # of a process that predicts
    arguments = parser.parse_args()
    if arguments.model:
        print(json.dumps(predict(arguments.model, arguments.n_strings[0])))
        return
    with tempfile.TemporaryDirectory() as folder:
        model = CloudRegressor(arguments.encoder, max_epochs=1, device="cpu", random_state=0)
        save_model(model.fit(*synthetic_strings(64)), Path(folder) / "model")
        runs = [measure(Path(folder) / "model", number) for number in arguments.n_strings]
    name = f"prediction_speed_{arguments.encoder}"
    print(write_json(name, {**script_provenance(), "encoder": arguments.encoder, "runs": runs}))


def measure(model, n_strings):
    """Run this script in a fresh process and return what it has measured."""
    command = [sys.executable, __file__, "--model", str(model), "--n-strings", str(n_strings)]
    run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print("  ".join(f"{name} {value:,.4g}" for name, value in run.items()), flush=True)
    return run


def predict(folder, n_strings):
    model = load_model(folder)
    strings, _ = synthetic_strings(n_strings)
    model.predict(strings[:64])  # first calls load libraries
    before, start = peak_megabytes(), time.process_time()
    predictions = model.predict(strings)
    seconds = time.process_time() - start
    if not np.isfinite(predictions).all():
        raise ValueError("predictions are not finite")
    return {
        "strings": n_strings,
        "distinct": len(set(strings)),
        "cpu_seconds": seconds,
        "strings_per_cpu_second": n_strings / seconds,
        "megabytes_before": before,
        "megabytes_after": peak_megabytes(),
    }


if __name__ == "__main__":
    main()
