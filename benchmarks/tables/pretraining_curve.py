"""Draw the learning curves of the pre-training runs from their result files alone.

    python benchmarks/tables/pretraining_curve.py

Reads `benchmarks/results/pretraining_*.json`, writes `docs/images/pretraining_curve.png`: training
loss and held-out accuracy against the strings seen, with what counting tokens achieves.
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
BASELINES = {"unigram": "how often a token occurs", "space_group": "... in that space group"}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=IMAGES / "pretraining_curve.png")
    arguments = parser.parse_args()
    runs = {
        path.stem.removeprefix("pretraining_"): json.loads(path.read_text())
        for path in sorted(arguments.results.glob("pretraining_*.json"))
    }
    if not runs:
        parser.error(f"there is no pretraining_*.json in {arguments.results}: run pretrain.py")
    figure = draw(runs)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    # no version and date inside: the same results give the same bytes
    figure.savefig(arguments.out, dpi=120, bbox_inches="tight", metadata={"Software": None})
    print(arguments.out)


def draw(runs):
    """Two panels, one line per run; `runs` is {name: content of the result file}."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for name, run in runs.items():
        for axes, field in ((left, "loss"), (right, "eval_accuracy")):
            axes.plot(*curve(run, field), label=name, marker="." if axes is right else "", lw=1.2)
    for name, (score, run) in distinct_baselines(runs).items():
        label = f"counting: {BASELINES[name]}" + (f" ({run})" if run else "")
        right.axhline(score, color="gray", ls=":" if name == "unigram" else "--", label=label)
    left.set_ylabel("training loss (all heads)")
    right.set_ylabel("held-out accuracy of masked tokens")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.set_xlabel("strings seen (millions)")
        axes.set_xlim(left=0)
        axes.legend(fontsize="x-small")
    figure.tight_layout()
    return figure


def curve(run, field):
    """Millions of strings seen and the values of a logged field."""
    entries = [entry for entry in run["history"] if field in entry]
    seen = [entry["step"] * run["plan"]["batch_size"] / 1e6 for entry in entries]
    return seen, [entry[field] for entry in entries]


def distinct_baselines(runs):
    """{baseline: (accuracy, run)}; of runs on different corpora the first one's are shown."""
    found = {}
    several = len({json.dumps(run.get("baselines")) for run in runs.values()}) > 1
    for name, run in runs.items():
        for baseline, scores in run.get("baselines", {}).items():
            found.setdefault(baseline, (scores["accuracy"], name if several else ""))
    return found


if __name__ == "__main__":
    main()
