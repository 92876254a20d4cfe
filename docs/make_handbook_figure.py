"""Draw predictions next to measured values, docs/images/handbook.png.

    python benchmarks/tables/handbook.py
    python docs/make_handbook_figure.py

Reads the two result files that the first command writes.
"""

import json
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of a backend without a window

HERE = Path(__file__).parent
RESULTS = HERE.parent / "benchmarks/results"
PATH = HERE / "images/handbook.png"
COLORS = {"elements": "#0072B2", "compounds": "#D55E00"}


def main():
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    draw_moduli(left, *read("handbook_bulk_moduli"))
    draw_gaps(right, *read("handbook_band_gaps"))
    figure.savefig(PATH, dpi=130, facecolor="white")


def read(name):
    """Return the columns and the summary of a result file."""
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    rows = content["rows"]
    return {key: np.array([row[key] for row in rows]) for key in rows[0]}, content["summary"]


def draw_moduli(axes, found, summary):
    measured, predicted = found["measured"], found["predicted"]
    errors = np.maximum([predicted - found["lower"], found["upper"] - predicted], 0)
    element = np.arange(len(measured)) < summary["elements"]
    for name, rows in (("elements", element), ("compounds", ~element)):
        axes.errorbar(
            measured[rows],
            predicted[rows],
            yerr=errors[:, rows],
            fmt="o",
            markersize=4,
            elinewidth=0.8,
            color=COLORS[name],
            ecolor=matplotlib.colors.to_rgba(COLORS[name], 0.35),
            label=f"{name} ({rows.sum()})",
        )
    ends = (1.5, 650)
    axes.plot(ends, ends, ":", color="0.55", linewidth=1)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axes.set(xlabel="measured bulk modulus (GPa)", ylabel="predicted, 90 % interval (GPa)")
    axes.set_title(f"median difference {summary['median_relative_error']:.0%}", fontsize=10)
    for x, y, name in label_outliers(found):
        axes.annotate(name, (x, y), xytext=(4, -8), textcoords="offset points", fontsize=8)
    axes.legend(frameon=False)


def label_outliers(found, count=5):
    """Return positions and names of the crystals with the largest relative differences."""
    ratio = np.abs(np.log(found["predicted"] / found["measured"]))
    for row in np.argsort(ratio)[-count:]:
        yield found["measured"][row], found["predicted"][row], found["crystal"][row]


def draw_gaps(axes, found, summary):
    axes.plot(
        found["measured"], found["predicted"], "o", markersize=3.5, color="#0072B2", alpha=0.6
    )
    end = 1.03 * found["measured"].max()
    slope = summary["median_ratio"]
    axes.plot((0, end), (0, end), ":", color="0.55", linewidth=1)
    axes.plot((0, end), (0, slope * end), color="#D55E00", linewidth=1, label=f"median {slope:.2f}")
    axes.set(xlabel="measured band gap (eV)", ylabel="predicted PBE band gap (eV)")
    axes.set_title(f"{summary['crystals']} example crystals", fontsize=10)
    axes.legend(frameon=False, loc="upper left")


if __name__ == "__main__":
    main()
