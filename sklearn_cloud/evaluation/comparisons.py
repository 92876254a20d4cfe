"""Comparisons in addition to the leaderboard: peers on the same rows, prediction thresholds."""

import re

from .leaderboard import lower_is_better, published_scores, read_results, result_scores
from .metrics import STABILITY_SCORES, summarize_folds

RECORDED = "matbench_recorded"  # benchmark of results with re-scored predictions of peers
_THRESHOLD_TASK = re.compile(r"wbm, threshold (-?[\d.]+) eV/atom")


def same_rows(results):
    """Compare scores on incomplete tables with those of peers on the same rows and folds.

    Parameters
    ----------
    results : str or path-like
        Folder of result files, including those written by
        ``benchmarks/tables/leaderboard.py --rescore``.

    Returns
    -------
    pandas.DataFrame
        One row per task and model: task, folds (those compared), model, metric, value, std,
        rows, note. A result with fewer folds than the most complete one of the task, or on other
        rows, has a note.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.evaluation import same_rows
    >>> from sklearn_cloud.evaluation.results import add_fold, open_result, write_result
    >>> models = {"matbench": ("mine", 35.0), "matbench_recorded": ("peer", 36.0)}
    >>> with TemporaryDirectory() as folder:
    ...     for benchmark, (model, mae) in models.items():
    ...         path = Path(folder) / f"{model}.json"
    ...         result = open_result(
    ...             path,
    ...             benchmark=benchmark,
    ...             task="jdft2d",
    ...             model=model,
    ...             rows=600,
    ...             configuration={},
    ...         )
    ...         seconds = {"seconds_fit": 30.0, "seconds_predict": 0.1}
    ...         add_fold(result, 0, {"mae": mae}, n_train=480, n_test=120, **seconds)
    ...         write_result(path, result)
    ...     table = same_rows(folder)
    >>> table[["model", "value", "rows"]].values.tolist()
    [['peer', 36.0, 600], ['mine', 35.0, 600]]
    """
    import pandas as pd

    found = read_results(results)
    rows = []
    for task in sorted({r.task for r in found if r.benchmark == RECORDED}):
        peers = [r for r in found if (r.benchmark, r.task) == (RECORDED, task)]
        own = [r for r in found if (r.benchmark, r.task) == ("matbench", task)]
        if own:
            folds = max((list(result.folds) for result in own), key=len)
            rows += [_on_folds(result, folds, peers[0].rows) for result in peers + own]
    columns = "task folds model metric value std rows note".split()
    return pd.DataFrame(rows, columns=columns)


def _on_folds(result, folds, n_rows):
    used = [fold for fold in folds if fold in result.folds]
    metric = "mae" if "mae" in result.summary else "rocauc"
    scores = [{metric: result.folds[fold]["scores"][metric]} for fold in used]
    summary = summarize_folds(scores)[metric] if scores else {"mean": None, "std": None}
    notes = [f"folds {', '.join(used) or 'none'} only"] if used != folds else []
    if result.rows != n_rows:
        notes.append(f"{result.rows:,} rows")
    return {
        "task": result.task,
        "folds": ", ".join(folds),
        "model": result.model,
        "metric": metric,
        "value": summary["mean"],
        "std": summary["std"] if len(used) > 1 else None,
        "rows": result.rows,
        "note": "; ".join(notes),
    }


def threshold_scores(results=None):
    """Return classification scores at several prediction thresholds (Table 7 of the paper).

    Parameters
    ----------
    results : str or path-like, default=None
        Folder of result files; None gives the published scores only.

    Returns
    -------
    pandas.DataFrame
        Index: threshold (eV/atom), model, note; columns: f1, daf, precision, accuracy, tpr, tnr.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import threshold_scores
    >>> float(threshold_scores().loc[0.0, "f1"].max())
    0.474
    """
    import pandas as pd

    frame = published_scores()
    if results is not None:
        own = result_scores(results)
        frame = pd.concat([frame, own], ignore_index=True) if len(own) else frame
    shown = [score for score in STABILITY_SCORES[:6] if not lower_is_better(score)]
    frame = frame.assign(
        threshold=frame["task"].str.extract(_THRESHOLD_TASK, expand=False).astype(float)
    )
    frame = frame[frame["threshold"].notna() & frame["metric"].isin(shown)]
    wide = frame.pivot(index=["threshold", "model", "note"], columns="metric", values="value")
    wide.columns.name = None
    return wide[shown]
