"""The best published score of each task, for the cards."""

import csv
from importlib import resources

_BETTER = {"MAE": min, "F1": max, "rocauc": max}


def best_published(prop):
    """Return the best published score of the task of a property.

    Parameters
    ----------
    prop : Property

    Returns
    -------
    dict or None
        With "model", "value", "metric" and "source"; None if there is no published score. For
        classes, the metric is the area under the ROC curve.
    """
    metric = "rocauc" if prop.classes else "MAE"
    text = resources.files("sklearn_cloud").joinpath("data/published_scores.csv").read_text("utf-8")
    rows = [
        row
        for row in csv.DictReader(text.splitlines())
        if (row["benchmark"], row["task"], row["metric"]) == ("matbench", prop.task, metric)
    ]
    if not rows:
        return None
    best = _BETTER[metric](rows, key=lambda row: float(row["value"]))
    return {
        "model": best["model"],
        "value": float(best["value"]),
        "metric": metric,
        "source": best["source"],
    }
