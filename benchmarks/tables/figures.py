"""Figures of the benchmarks, drawn from result files alone."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402

from sklearn_cloud.evaluation import published_scores, scores_in_table
from sklearn_cloud.evaluation.leaderboard import TABLES, read_results
from sklearn_cloud.plotting import StabilityROCDisplay

COLORS = {
    "Structure-based": "tab:gray",
    "Structure-based (MLIP)": "black",
    "Feature-based": "tab:olive",
    "Structure-agnostic": "tab:orange",
    "Coordinate-free": "tab:blue",
    "Dummy": "lightgray",
}


def draw_all(results, folder):
    """Draw every figure that the results allow; return the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        "matbench.png": matbench_figure(results),
        "unconvbench.png": relative_figure("unconvbench", results),
        "discovery_roc.png": roc_figure(results),
        "discovery_rolling_error.png": rolling_figure(results),
    }
    paths = []
    for name, figure in drawn.items():
        if figure is not None:
            path = folder / name
            # no version and date inside: the same results give the same bytes
            figure.savefig(path, dpi=120, bbox_inches="tight", metadata={"Software": None})
            plt.close(figure)
            paths.append(path)
    return paths


def matbench_figure(results):
    return relative_figure("matbench", results, leave_out=("Dummy",))


def relative_figure(benchmark, results, leave_out=()):
    """Error of each system relative to that of the paper's CLOUD, one row of dots per task."""
    scores = scores_in_table(benchmark, results)
    scores = scores[~scores["kind"].isin(leave_out)]
    known = set(published_scores()["source"])
    published = scores[scores["model"] == "CLOUD"].set_index("task")["value"]
    tasks = [task for task, _ in TABLES[benchmark].columns]
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(tasks) + 1.2))
    theirs = scores["source"].isin(known)
    cloud = scores["model"].str.startswith("cloud") & ~theirs
    # one fold of a baseline says little next to the five of the others
    scores = scores[theirs | cloud | ~scores["note"].str.contains("fold")]
    theirs, cloud = theirs[scores.index], cloud[scores.index]
    for kind, group in scores[~cloud].groupby("kind", sort=False):
        color = COLORS[kind]
        _dots(axes, group[theirs[group.index]], tasks, published, marker="o", color=color)
        _dots(axes, group[~theirs[group.index]], tasks, published, marker="x", s=25, color=color)
        axes.scatter([], [], color=color, label=kind)  # for the legend
    own = scores[cloud]
    _dots(axes, own[own["note"] == ""], tasks, published, marker="*", s=110, c="tab:red")
    _dots(axes, own[own["note"] != ""], tasks, published, marker="*", s=110, fc="none", ec="red")
    axes.axvline(1.0, color="tab:blue", lw=0.8)
    axes.set_xscale("log")
    ticks = [0.25, 0.5, 0.7, 1, 1.5, 2, 4, 7]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(tasks)), tasks)
    axes.invert_yaxis()
    axes.set_xlabel(
        "MAE relative to CLOUD in the paper\n"
        "stars: CLOUD of this library (hollow: part of the rows or folds); "
        "crosses: its baselines; dots: published"
    )
    axes.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _dots(axes, scores, tasks, published, **style):
    if len(scores):
        x = scores["value"] / scores["task"].map(published)
        axes.scatter(x, scores["task"].map(tasks.index), **style)


def roc_figure(results):
    """ROC curves of the search for stable crystals (Figures 3 and 5 of the paper)."""
    found = _discovery(results)
    if not found:
        return None
    found.sort(key=lambda result: -result.summary["roc_auc"]["mean"])
    figure, axes = plt.subplots(figsize=(4.8, 4.8))
    for result in found:
        details = result.details
        StabilityROCDisplay(
            **details["roc"],
            roc_auc=result.summary["roc_auc"]["mean"],
            thresholds={
                float(threshold): (1 - scores["tnr"], scores["tpr"])
                for threshold, scores in details.get("thresholds", {}).items()
            },
            name=result.model,
        ).plot(axes)
    axes.set_title(_what(found), fontsize="small")
    return figure


def rolling_figure(results):
    """Error against the true distance to the hull."""
    found = _discovery(results)
    if not found:
        return None
    figure, axes = plt.subplots(figsize=(5.5, 4))
    for result in found:
        curve = result.details["rolling"]
        (line,) = axes.plot(curve["e_above_hull"], curve["mae"], label=result.model)
        low = [m - s for m, s in zip(curve["mae"], curve["sem"])]
        high = [m + s for m, s in zip(curve["mae"], curve["sem"])]
        axes.fill_between(curve["e_above_hull"], low, high, color=line.get_color(), alpha=0.2)
    # inside these lines the mean error is larger than the distance to the hull
    axes.plot([-0.2, 0, 0.2], [0.2, 0, 0.2], color="gray", ls=":")
    axes.set_xlabel("True energy above the hull (eV/atom)")
    axes.set_ylabel("Mean absolute error (eV/atom)")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    axes.set_title(_what(found), fontsize="small")
    return figure


def _discovery(results):
    found = [r for r in read_results(results) if r.benchmark == "matbench_discovery"]
    return [result for result in found if "roc" in result.details]


def _what(found):
    kinds = {"reconstruction" if r.coverage is None else "official test set" for r in found}
    return f"WBM, {' and '.join(sorted(kinds))}"
