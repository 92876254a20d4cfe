"""Time and memory of the ready-made predictors, by number of crystals.

    OMP_NUM_THREADS=1 python benchmarks/speed/predictor_speed.py --crystals 1 1000 20000

Every measurement is a fresh process: import, loading, the first crystal, then crystals in blocks of
1,000, as `sklearn-cloud predict` reads them; for one property and for all that need a structure.
CPU seconds, because other work may share the machine, and the peak of the resident memory. The
crystals are drawn at random from `corpus/mp_structures.tsv.xz` in the data folder, and reading that
file is not counted. Writes `benchmarks/results/predictor_speed.json`.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

BLOCK = 1000
NAMES = ("import", "loading", "first crystal", "crystals")


def main():
    if sys.argv[1:2] == ["--measure"]:
        path, n_crystals, properties = sys.argv[2:]
        print(json.dumps(measure(path, int(n_crystals), properties)))
        return
    sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is
    from common import argument_parser, parse_arguments, script_provenance, write_json

    parser = argument_parser(__doc__)
    parser.add_argument("--crystals", nargs="+", type=int, default=[1, 1000, 20_000])
    arguments = parse_arguments(parser)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crystals.tsv"
        draw(Path(arguments.data_home) / "corpus/mp_structures.tsv.xz", path, arguments)
        for properties in ("one", "all"):
            for n_crystals in arguments.crystals:
                command = [sys.executable, __file__, "--measure", path, str(n_crystals), properties]
                result = subprocess.run(command, capture_output=True, check=True)
                found.append(json.loads(result.stdout))
                print(found[-1], flush=True)
    print(write_json("predictor_speed", {"runs": found, "provenance": script_provenance()}))


def draw(table, path, arguments):
    """Write a table of as many crystals as the largest measurement needs."""
    from sklearn_cloud.pretraining.corpus_sources import open_text

    with open_text(table) as file:
        header, *lines = file.readlines()
    random.Random(arguments.seed).shuffle(lines)
    path.write_text("".join([header, *lines[: max(arguments.crystals)]]), encoding="utf-8")


def measure(path, n_crystals, properties):
    """Return CPU seconds of each step and the peak of the memory in this process."""
    clock = Clock()
    from sklearn_cloud.predictors import list_predictors, load_card
    from sklearn_cloud.predictors.property_table import load_all

    clock.lap("import")
    names = ["bulk_modulus"]
    if properties == "all":
        names = [name for name in list_predictors() if load_card(name)["needs"] == "structure"]
    predictors = load_all(names, on_error="warn")
    clock.lap("loading")
    from sklearn_cloud.pretraining.corpus_sources import read_structure_table

    rows = read_structure_table(path)
    first = [next(rows)[1]]
    clock.restart()
    predict(first, names, predictors)
    clock.lap("first crystal")
    done, rows = 0, islice(rows, n_crystals - 1)
    while block := [crystal for _, crystal in islice(rows, BLOCK)]:
        clock.restart()
        done += predict(block, names, predictors)
        clock.lap("crystals")
    return {
        "properties": len(names),
        "crystals": 1 + done,
        "CPU seconds": {name: round(clock.seconds.get(name, 0.0), 2) for name in NAMES},
        "peak memory in MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def predict(crystals, names, predictors):
    """Predict as the command line does, and return the number of crystals."""
    from sklearn_cloud.predictors.predictor_input import read_rows_of
    from sklearn_cloud.predictors.property_table import tabulate

    tabulate(read_rows_of(crystals), names, predictors, 0.9)
    return len(crystals)


class Clock:
    """CPU seconds of this process, by step."""

    def __init__(self):
        self.seconds, self.start = {}, 0.0  # from the start of the process

    def restart(self):
        self.start = time.process_time()

    def lap(self, name):
        now = time.process_time()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.start
        self.start = now


if __name__ == "__main__":
    main()
