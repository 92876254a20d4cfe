"""Processes killed at random moments: what they were writing is the old or the new one, whole.

    python benchmarks/maintenance/kill.py --kills 300

A child saves models, tunes, or runs a command, and gets SIGKILL after a random part of the time
that this takes. Then a model has to predict as one of the two that were saved, a study has to
resume to the uninterrupted one, and the output of a command has to be that of before or after it.
The counts go to `results/kill.json` after each kill. A run that is ended early keeps what it has,
and the next one adds to it; `--fresh` begins again.
"""

import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

import numpy as np
from common import RESULTS, argument_parser, script_provenance, write_json
from optuna.distributions import FloatDistribution
from sklearn.linear_model import Ridge

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer, load_model, save_model
from sklearn_cloud.__main__ import main as command
from sklearn_cloud.datasets import load_example
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.files import write_text
from sklearn_cloud.tuning import tune_pipeline

TINY = EncoderConfig(n_layers=1, n_heads=1, width=8, intermediate=8, max_positions=64)


class Saving:
    """A folder that two models are saved into in turn."""

    def __init__(self, folder):
        self.folder = folder / "model"
        structures, gaps = load_example(return_X_y=True)
        self.strings = SymmetryStringTransformer().fit_transform(structures[:30])
        self.models = [
            CloudRegressor(TINY, max_epochs=1, random_state=seed).fit(self.strings, gaps[:30])
            for seed in (0, 1)
        ]
        self.expected = [model.predict(self.strings).tolist() for model in self.models]
        save_model(self.models[0], self.folder)

    def work(self):
        for model in [*self.models[::-1], *self.models[::-1]]:
            save_model(model, self.folder)

    def check(self):
        return load_model(self.folder).predict(self.strings).tolist() in self.expected


class Tuning:
    """A study in a journal."""

    def __init__(self, folder):
        self.folder = folder
        self.number = 0
        rows = np.random.RandomState(0).normal(size=(60, 20))
        self.data = rows, rows[:, 0] + np.random.RandomState(1).normal(size=60)
        self.expected = self.summary(self.tune(None))

    def tune(self, journal):
        space = {"alpha": FloatDistribution(1e-3, 1e3, log=True)}
        return tune_pipeline(
            Ridge(), *self.data, space=space, n_trials=6, cv=2, storage=journal, random_state=0
        )

    @property
    def journal(self):
        return self.folder / f"study-{self.number}.log"

    def summary(self, study):
        return [(t.number, t.state.name, t.params, t.values) for t in study.trials]

    def work(self):
        self.tune(self.journal)

    def check(self):
        found = self.summary(self.tune(self.journal))
        self.number += 1
        return found == self.expected


class Strings:
    """A table that `sklearn-cloud strings` writes over an older one."""

    def __init__(self, folder):
        self.crystals = folder / "crystals"
        self.crystals.mkdir()
        for number, structure in enumerate(load_example().structures[:40]):
            structure.to(filename=str(self.crystals / f"{number:02d}.cif"))
        self.output = folder / "strings.csv"
        self.work()
        self.expected = ["old", self.output.read_text()]

    def work(self):
        write_text(self.output, "old")
        command(["strings", str(self.crystals), "-o", str(self.output), "--overwrite", "--quiet"])

    def check(self):
        return self.output.read_text() in self.expected


class Fitting:
    """A model that `sklearn-cloud fit` writes over an older one."""

    def __init__(self, folder):
        self.folder = folder / "fitted"
        self.table = folder / "table.csv"
        formulas, gaps = ["NaCl", "KCl", "MgO", "CaO", "LiF", "KBr"], [8.5, 8.4, 7.8, 7.1, 13, 7.4]
        rows = [f"{name},{gap}" for name, gap in zip(formulas, gaps, strict=True)]
        self.table.write_text("\n".join(["formula,gap", *rows]) + "\n")
        self.work()
        self.formulas = formulas
        self.expected = load_model(self.folder).predict(formulas).tolist()

    def work(self):
        options = ["--target", "gap", "--model", "cloud", "--epochs", "1", "--seed", "0"]
        command(
            ["fit", str(self.table), "-o", str(self.folder), *options, "--overwrite", "--quiet"]
        )

    def check(self):
        return load_model(self.folder).predict(self.formulas).tolist() == self.expected


KINDS = {"save_model": Saving, "tuning": Tuning, "strings": Strings, "fit": Fitting}


def work_silently(work):
    """Run in the child: what a command says is not for the terminal."""
    with open(os.devnull, "w") as nowhere:
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)
    with contextlib.suppress(SystemExit):
        work()


def kill_once(task, seconds, rng):
    """Kill a child at a random moment; what is left, and whether it was still running."""
    child = multiprocessing.get_context("fork").Process(target=work_silently, args=(task.work,))
    child.start()
    try:
        child.join(rng.uniform(0, seconds))
    finally:
        child.kill()
        child.join()
    try:
        outcome = "whole" if task.check() else "mixed"
    except Exception as error:  # noqa: BLE001 (any is a finding)
        outcome = f"unreadable: {type(error).__name__}: {error}"[:300]
    return outcome, child.exitcode == -signal.SIGKILL


def n_killed(outcomes):
    return sum(counts["killed"] for counts in outcomes.values())


def kill_all(tasks, seconds, arguments, outcomes):
    """Kill each kind of work in turn, count what is found, and write the counts."""
    rng = random.Random(f"{arguments.seed} {n_killed(outcomes)}")  # not the same moments again
    while n_killed(outcomes) < arguments.kills:
        kind = min(KINDS, key=lambda kind: outcomes[kind]["killed"])
        outcome, killed = kill_once(tasks[kind], seconds[kind], rng)
        outcomes[kind]["killed" if killed else "finished before"] += 1
        outcomes[kind][outcome] += 1
        if outcome != "whole":
            print(kind, outcome, flush=True)
        write_counts(outcomes, arguments)


def read_counts(fresh):
    """Return the counts of earlier runs."""
    path = RESULTS / "kill.json"
    earlier = {} if fresh or not path.is_file() else json.loads(path.read_text())["outcomes"]
    return {kind: Counter(earlier.get(kind, {})) for kind in KINDS}


def write_counts(outcomes, arguments):
    content = {
        "kills": n_killed(outcomes),
        "asked_for": arguments.kills,
        "seed": arguments.seed,
        "outcomes": {kind: dict(counts) for kind, counts in outcomes.items()},
        "provenance": script_provenance(),
    }
    return write_json("kill", content)


def prepare(home):
    """Return the kinds of work in folders of their own, and how many seconds each takes."""
    tasks, seconds = {}, {}
    for kind, make in KINDS.items():
        folder = home / kind
        folder.mkdir()
        tasks[kind] = make(folder)
        start = time.perf_counter()
        tasks[kind].work()
        seconds[kind] = time.perf_counter() - start
        tasks[kind].check()
    return tasks, seconds


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--fresh", action="store_true", help="do not add to the earlier counts")
    arguments = parser.parse_args()
    outcomes = read_counts(arguments.fresh)
    with tempfile.TemporaryDirectory() as folder:
        tasks, seconds = prepare(Path(folder))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            kill_all(tasks, seconds, arguments, outcomes)
    print({kind: dict(counts) for kind, counts in outcomes.items()})
    damaged = [c for c in outcomes.values() if set(c) - {"whole", "killed", "finished before"}]
    sys.exit(bool(damaged))


if __name__ == "__main__":
    main()
