r"""What pre-training and the orbits are worth: the six ways to train, on the same folds.

    python benchmarks/maintenance/pretrain.py --size mini --name mini-mlm --geometry-weight 0 \
        --work DIR
    python benchmarks/tables/ablation.py --tasks jdft2d --epochs 50 --mlm DIR/mini-mlm/encoder
    python benchmarks/tables/ablation.py --draw

From scratch, pre-trained by masked language modelling alone, and with geometry heads besides (the
bundled `mini`); each with the sites as a set, as in the paper, and as orbits. All of one task have
the same network, epochs, seed and folds. The result files are in `benchmarks/results/ablation/`;
`--draw` makes `docs/images/ablation.png` (the paper's Figure 2) and prints the table.
"""

import argparse
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402

from sklearn_cloud.datasets import fetch_matbench, get_data_home, list_matbench
from sklearn_cloud.evaluation.markdown import render
from sklearn_cloud.evaluation.results import read_result, result_path

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the shared code is

from common import RESULTS, argument_parser
from folds import run_folds

ABLATION = RESULTS / "ablation"
IMAGE = Path(__file__).resolve().parents[2] / "docs" / "images" / "ablation.png"
PRETRAINING = {"scratch": "from scratch", "mlm": "MLM", "mini": "MLM + geometry"}
SITES = ("set", "orbits")
COLORS = {"scratch": "tab:gray", "mlm": "tab:cyan", "mini": "tab:blue"}


def main():
    parser = argument_parser(__doc__)
    parser.add_argument("--tasks", nargs="+", default=["jdft2d"], choices=list_matbench())
    parser.add_argument("--folds", nargs="+", type=int, default=range(5))
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--mlm", default="mini-mlm", help="encoder pre-trained without geometry")
    parser.add_argument("--draw", action="store_true", help="figure and table of what was run")
    arguments = parser.parse_args()
    if arguments.draw:
        scores = read_scores()
        if not scores:
            parser.error(f"{ABLATION} has no task with all six ways to train: run them first")
        IMAGE.parent.mkdir(parents=True, exist_ok=True)
        draw(scores).savefig(IMAGE, dpi=120, bbox_inches="tight", metadata={"Software": None})
        print(table(scores))
        return
    if arguments.data_home is None:
        parser.error("set --data-home or SKLEARN_CLOUD_DATA to the folder of the data files")
    encoders = {"scratch": "none", "mlm": arguments.mlm, "mini": "mini"}
    for task in arguments.tasks:
        data = fetch_matbench(task, data_home=arguments.data_home, download=False)
        for sites in SITES:
            for name, encoder in encoders.items():
                run_folds("matbench", task, data, settings(arguments, name, encoder, sites))


def settings(arguments, name, encoder, sites):
    """What `run_folds` wants to know."""
    return argparse.Namespace(
        model="cloud",
        name=model_name(name, sites),
        encoder=encoder,
        sites=sites,
        symprec=None,
        epochs=arguments.epochs,
        members=None,
        parameters="{}",
        seed=arguments.seed,
        folds=arguments.folds,
        device=None,
        data_home=arguments.data_home,
        predictions=get_data_home(arguments.data_home) / "predictions" / "ablation",
        results=ABLATION,
    )


def model_name(pretraining, sites):
    return f"cloud-{pretraining}" + ("-orbits" if sites == "orbits" else "")


def read_scores():
    """{task: {(pretraining, sites): MAE of each fold}} of the tasks that are complete."""
    scores = {}
    for task in list_matbench():
        found = {}
        for name in PRETRAINING:
            for sites in SITES:
                path = result_path(ABLATION, "matbench", task, model_name(name, sites))
                if path.exists():
                    folds = read_result(path).folds
                    found[name, sites] = np.array(
                        [fold["scores"]["mae"] for fold in folds.values()]
                    )
        if len({len(folds) for folds in found.values()}) == 1 and len(found) == 6:
            scores[task] = found
    return scores


def draw(scores):
    """One panel per task; bars are means over the folds, lines the folds."""
    size = (3.2 * len(scores), 3.2)
    figure, panels = plt.subplots(1, len(scores), figsize=size, squeeze=False, layout="constrained")
    for axes, (task, found) in zip(panels[0], scores.items(), strict=True):
        for group, sites in enumerate(SITES):
            places = group + 0.27 * (np.arange(len(PRETRAINING)) - 1)
            folds = np.array([found[name, sites] for name in PRETRAINING])
            for place, name, values in zip(places, PRETRAINING, folds, strict=True):
                legend = PRETRAINING[name] if group == 0 else None
                axes.bar(place, values.mean(), 0.25, color=COLORS[name], label=legend)
            axes.plot(places, folds, "k.-", ms=3, lw=0.4)  # one line per fold
        axes.set_xticks(
            range(len(SITES)), [f"sites={sites!r}" for sites in SITES], fontsize="small"
        )
        axes.set_title(task, fontsize="medium")
        axes.set_ylabel("MAE")
    drawn = panels[0][0].get_legend_handles_labels()
    figure.legend(*drawn, loc="outside upper center", ncols=len(PRETRAINING), fontsize="small")
    return figure


def table(scores):
    """Markdown: mean and deviation over the folds, and on how many of them scratch is worse."""
    heads = ["", *(f"{task}, {sites}" for task in scores for sites in SITES)]
    lines = []
    for name, label in PRETRAINING.items():
        cells = [label]
        for found in scores.values():
            for sites in SITES:
                folds, scratch = found[name, sites], found["scratch", sites]
                cell = f"{folds.mean():#.3g} ± {folds.std():.2g}"
                if name != "scratch":
                    cell += f" ({(folds < scratch).sum()} of {len(folds)})"
                cells.append(cell)
        lines.append(cells)
    return render(heads, lines).rstrip()


if __name__ == "__main__":
    main()
