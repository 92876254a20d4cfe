"""Damaged and hostile inputs: each is a result or a documented error, and nothing else happens.

    python benchmarks/maintenance/fuzz.py --inputs 10000
    python benchmarks/maintenance/fuzz.py --first 4711 --inputs 1

Each input follows from the seed and its number. It is read in a worker process that may take
20 seconds of CPU and 2 GB of memory on top of the imports. Findings are: other exceptions, errors
that do not name the row, crashes, hangs, output on stdout or stderr, and modules that a dictionary
named and that were imported. The counts go to `results/fuzz.json`, findings to the terminal too. A
run that is ended early keeps what it has.
"""

import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import argument_parser, script_provenance, write_json
from fuzz_inputs import KINDS, TRAPS, Seeds

CPU_SECONDS = 20
MEMORY = 2 * 10**9  # bytes


def try_input(seeds, seed, number):
    """What happens with an input: its kind, the outcome, and what is wrong with that or ""."""
    rng = random.Random(f"{seed}-{number}")
    kind = rng.choice(list(KINDS))
    make, use, allowed, names_row = KINDS[kind]
    item = make(seeds, rng)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", UserWarning)  # of the package: notes on rows
            use(seeds, item)
    except allowed as error:
        problem = ""
        if names_row and "row 1" not in str(error).lower():
            problem = f"does not name the row: {error}"
        if len(str(error)) > 3000:
            problem = f"a message of {len(str(error))} characters: {str(error)[:200]}"
        return kind, type(error).__name__, problem
    except Exception as error:  # noqa: BLE001 (any other one is a finding)
        return kind, type(error).__name__, f"{type(error).__name__}: {error}"[:500]
    return kind, "result", ""


def work(pipe, seed, numbers, folder):
    """Try inputs one after the other, in a process of its own."""
    seeds = Seeds(folder)
    output = open(Path(folder) / "output", "w+b", buffering=0)  # noqa: SIM115 (until the end)
    for stream in (1, 2):
        os.dup2(output.fileno(), stream)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in numbers:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(usage.ru_utime + usage.ru_stime) + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        kind, outcome, problem = try_input(seeds, seed, number)
        sys.stdout.flush()
        sys.stderr.flush()
        if os.path.getsize(output.name):
            problem = problem or f"output: {Path(output.name).read_text(errors='replace')[:500]}"
            output.truncate(0)
            output.seek(0)
        if imported := sorted(TRAPS & set(sys.modules)):
            problem = problem or f"imported {imported}"
            for name in imported:
                del sys.modules[name]
        pipe.send((number, kind, outcome, problem))


def try_inputs(seed, numbers, report):
    """Try all inputs; a worker that dies is a finding, and another one takes its place."""
    context = multiprocessing.get_context("spawn")
    numbers = list(numbers)
    while numbers:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            here, there = context.Pipe(duplex=False)
            worker = context.Process(target=work, args=(there, seed, numbers, folder))
            worker.start()
            there.close()
            try:
                while numbers:
                    report(*here.recv())
                    numbers.pop(0)
            except EOFError:
                pass
            worker.join()
        if numbers:
            name = signal.Signals(-worker.exitcode).name if worker.exitcode < 0 else "exit"
            kind = random.Random(f"{seed}-{numbers[0]}").choice(list(KINDS))
            what = f"more than {CPU_SECONDS} s of CPU" if name == "SIGXCPU" else f"died of {name}"
            report(numbers.pop(0), kind, "death", what)


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    arguments = parser.parse_args()
    outcomes, findings = {kind: Counter() for kind in KINDS}, []

    def report(number, kind, outcome, problem):
        outcomes[kind][outcome] += 1
        if problem:
            findings.append({"input": number, "kind": kind, "problem": problem})
            print(json.dumps(findings[-1]), flush=True)

    numbers = range(arguments.first, arguments.first + arguments.inputs)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        try_inputs(arguments.seed, numbers, report)
    content = {
        "inputs": sum(counts.total() for counts in outcomes.values()),
        "asked_for": arguments.inputs,
        "first": arguments.first,
        "seed": arguments.seed,
        "outcomes": {kind: dict(sorted(counts.items())) for kind, counts in outcomes.items()},
        "findings": findings,
        "provenance": script_provenance(),
    }
    print(json.dumps(content["outcomes"], indent=1), f"{len(findings)} findings", sep="\n")
    if arguments.inputs > 1:
        print(write_json("fuzz", content))
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
