"""Draw docs/images/learning_curves.png, and write the tables below it.

    python docs/make_learning_curves.py

Both come from benchmarks/results/learning_curves.json alone, which `benchmarks/learning_curves.py`
makes; run this again after it has measured more.
"""

import json
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of a backend without a window
from matplotlib.ticker import FixedLocator, NullLocator  # noqa: E402

DOCS = Path(__file__).resolve().parent
RESULTS = DOCS.parent / "benchmarks/results/learning_curves.json"
FIGURE = DOCS / "images/learning_curves.png"
TABLES = DOCS / "howto/learning_curves.txt"
MODELS = {  # name in the result file: heading, colour (Okabe and Ito), marker
    "crystal-default": ("CrystalRegressor()", "#000000", "D"),
    "crystal-fast": ('CrystalRegressor("fast")', "#0072B2", "o"),
    "cloud-bonds": ("CLOUD with bonds", "#D55E00", "s"),
    "cloud": ("CLOUD, string alone", "#E69F00", "^"),
    "graph": ("GraphRegressor()", "#CC79A7", "v"),
    "magpie-forest": ("Magpie forest", "#009E73", "P"),
}


def main():
    result = json.loads(RESULTS.read_text())
    means = mean_over_draws(result["cells"])
    draw(result["tables"], means)
    TABLES.write_text(write_tables(result["tables"], means), encoding="utf-8")


def mean_over_draws(cells):
    """{(task, model, rows): (MAE, CPU seconds, number of draws)}."""
    groups = {}
    for cell in cells:
        groups.setdefault((cell["task"], cell["model"], cell["rows"]), []).append(cell)
    return {
        key: (
            np.mean([cell["mae"] for cell in group]),
            np.mean([cell["cpu_seconds"] for cell in group]),
            len(group),
        )
        for key, group in groups.items()
    }


def curve(means, task, model):
    """Rows, errors and CPU seconds of a model on a table."""
    sizes = sorted(rows for t, m, rows in means if (t, m) == (task, model))
    return np.array([(rows, *means[task, model, rows][:2]) for rows in sizes]).reshape(-1, 3).T


def draw(tables, means):
    tasks = [task for task in tables if any(key[0] == task for key in means)]
    n_columns = min(3, len(tasks) + 1)
    n_rows = -(-(len(tasks) + 1) // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(3.5 * n_columns, 3.2 * n_rows), layout="constrained"
    )
    axes = np.ravel(axes)
    for ax, task in zip(axes, tasks):
        for model in MODELS:
            sizes, errors, _ = curve(means, task, model)
            add_line(ax, model, sizes, errors)
        ax.axhline(tables[task]["median_mae"], color="0.55", linestyle=":", linewidth=1)
        unit = tables[task]["unit"]
        ax.set_title(task, fontsize="medium")
        ax.set(ylabel=f"MAE ({unit})" if unit else "MAE", yscale="log")
    costs = axes[len(tasks)]
    for model in MODELS:
        lines = [curve(means, task, model) for task in tasks]
        sizes, _, seconds = np.concatenate(lines, axis=1)
        costs.plot(sizes, seconds, MODELS[model][2], color=MODELS[model][1], markersize=4)
    costs.set_title("cost of one fit", fontsize="medium")
    costs.set(ylabel="CPU seconds", yscale="log")
    for ax in axes[: len(tasks) + 1]:
        ax.set(xlabel="training rows", xscale="log")
        ax.spines[["top", "right"]].set_visible(False)
        plain_ticks(ax)
    for ax in axes[len(tasks) + 1 :]:
        ax.set_axis_off()
    handles = {text: h for ax in axes for h, text in zip(*ax.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    figure.savefig(FIGURE, dpi=120, facecolor="white", metadata={"Software": None})


def plain_ticks(ax):
    """Write the numbers of logarithmic axes without powers of ten."""
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))))
        digits = (1, 2, 5) if high > 8 * low else range(1, 10)
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        ticks = [tick for tick in ticks if low <= tick <= high]
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(NullLocator())


def add_line(ax, model, sizes, errors):
    label, color, marker = MODELS[model]
    if len(sizes):
        ax.plot(sizes, errors, f"{marker}-", color=color, label=label, markersize=4, linewidth=1.2)


def write_tables(tables, means):
    """The errors as reStructuredText, one table for each task."""
    lines = [".. Written by docs/make_learning_curves.py from the result file.", ""]
    for task, table in tables.items():
        sizes = sorted({rows for t, _, rows in means if t == task})
        if not sizes:
            continue
        unit = f" ({table['unit']})" if table["unit"] else ""
        median = f"{table['median_mae']:.3g}"
        title = f"{task}{unit}, {table['scored_rows']} crystals scored; the median has {median}"
        models = [m for m in MODELS if any(key[:2] == (task, m) for key in means)]
        lines += [f".. list-table:: {title}", "   :header-rows: 1", ""]
        rows = [["rows", *(MODELS[m][0] for m in models)]]
        for size in sizes:
            rows.append([f"{size:,}", *(cell(means.get((task, m, size))) for m in models)])
        for first, *rest in rows:
            lines += [f"   * - {first}", *(f"     - {text}".rstrip() for text in rest)]
        lines.append("")
    return "\n".join(lines)


def cell(found):
    """An error with its CPU seconds; a dash where nothing was measured."""
    if found is None:
        return "–"
    error, seconds, draws = found
    text = f"{error:#.3g}".rstrip(".")
    return f"{text}{'*' if draws > 1 else ''} ({max(seconds, 1):.0f} s)"


if __name__ == "__main__":
    main()
