"""Tables of the leaderboard as Markdown."""

import math

from .leaderboard import TABLES, lower_is_better, published_scores, scores_in_table

_HEADS = {"r2": "R²", "f1": "F1", "roc_auc": "ROC-AUC", "rocauc": "ROC-AUC", "mape": "MAPE"}
_UPPER = ("mae", "rmse", "daf", "tpr", "tnr")


def markdown_table(benchmark, results=None):
    """Return a table of the paper as Markdown, with best and second best scores marked.

    Parameters
    ----------
    benchmark : str
        Name of the table; see `leaderboard`.
    results : str or path-like, default=None
        Folder of result files; None gives the published scores only.

    Returns
    -------
    str
        One line per model; the last column says whether its scores are published or of this
        library. Among the kinds of models ranked in the paper, the best is bold and the
        second best underlined; if it ranks only some kinds, the best of all is in italics. Scores
        with a note (part of the rows or folds) are not ranked.

    Examples
    --------
    >>> from sklearn_cloud.evaluation import markdown_table
    >>> lines = markdown_table("matbench").splitlines()
    >>> next(line for line in lines if "CLOUD" in line)[:57]
    '| Coordinate-free | CLOUD (paper) | **35.0057 (11.4550)**'
    """
    table = TABLES[benchmark]
    scores = scores_in_table(benchmark, results)
    marks = {column: _marks(scores, column, table.ranked_kinds) for column in table.columns}
    cells = {}
    for score in scores.itertuples():
        column = (score.task, score.metric)
        text = format_score(score.value, score.std, table.decimals)
        for mark in marks[column].get(score.model, ()):
            text = mark.format(text)
        note = f" [{score.note}]" if score.note else ""
        cells[(score.kind, score.model), column] = text + note
    models = list(dict.fromkeys(zip(scores["kind"], scores["model"])))
    published = set(published_scores()["model"])
    lines = []
    for kind, model in models:
        shown = [cells.get(((kind, model), column), "–") for column in table.columns]
        source = "published" if model in published else "this library"
        lines.append([kind, shown_name(model), *shown, source])
    return render(["Type", "Model", *_heads(table.columns), "Source"], lines)


def shown_name(model):
    """Return the name of a model in a table; that of the paper cannot be taken for one of ours."""
    return "CLOUD (paper)" if model == "CLOUD" else model


def render(heads, lines):
    """Return a Markdown table of headings and rows of cells."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def format_score(value, std, decimals):
    """Return ``value (std)`` with a fixed number of decimals; a dash for a missing value."""
    if value is None or math.isnan(value):
        return "–"
    spread = "" if std is None or math.isnan(std) else f" ({std:.{decimals}f})"
    return f"{value:.{decimals}f}{spread}"


def metric_name(metric):
    """Return the heading of a metric, with an arrow towards better scores."""
    name = _HEADS.get(metric, metric.upper() if metric in _UPPER else metric.capitalize())
    return f"{name} {'↓' if lower_is_better(metric) else '↑'}"


def _heads(columns):
    metrics = {metric for _, metric in columns}
    tasks = {task for task, _ in columns}
    if len(tasks) == 1:
        return [metric_name(metric) for _, metric in columns]
    if len(metrics) == 1:
        return [f"{task} {metric_name(metric)[-1]}" for task, metric in columns]
    return [f"{task}, {metric_name(metric)}" for task, metric in columns]


def _marks(scores, column, ranked_kinds):
    """Return {model: marks} of one column."""
    task, metric = column
    here = scores[(scores["task"] == task) & (scores["metric"] == metric) & (scores["note"] == "")]
    ranked = here if ranked_kinds is None else here[here["kind"].isin(ranked_kinds)]
    marks = {}
    for place, mark in enumerate(("**{}**", "<u>{}</u>")):
        for model in _at_place(ranked, place, metric):
            marks.setdefault(model, []).append(mark)
    if ranked_kinds is not None:
        for model in _at_place(here, 0, metric):
            marks.setdefault(model, []).append("*{}*")
    return marks


def _at_place(scores, place, metric):
    """Return the models with the best (0) or second best (1) value, including ties."""
    values = sorted(set(scores["value"]), reverse=not lower_is_better(metric))
    if place >= len(values):
        return []
    return scores.loc[scores["value"] == values[place], "model"].tolist()
