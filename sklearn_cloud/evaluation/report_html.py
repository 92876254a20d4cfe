"""The report of `evaluate_model` as one HTML page that loads nothing from elsewhere."""

from html import escape

import pandas as pd

from .._version import __version__
from ..wording import percent
from .own_folds import CVS
from .report_text import describe_curve, quantity, summary_lines
from .svg_charts import line_chart, parity_chart

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2430; --faint: #68707d; --grid: #e3e6ea;
  --c0: #0072b2; --c1: #d55e00; --c2: #6b7280; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181e; --ink: #e6e9ee; --faint: #9aa3b0; --grid: #2b323c;
    --c0: #56b4e9; --c1: #e69f00; --c2: #9aa3b0; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem; max-width: 62rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
.lead { font-size: 1.15rem; } .note { color: var(--faint); font-size: 0.9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.7rem; border-bottom: 1px solid var(--grid); text-align: right;
  white-space: nowrap; }
@media (max-width: 30rem) { th, td { padding: 0.3rem 0.35rem; } }
th:first-child, td:first-child, .text { text-align: left; }
th { color: var(--faint); font-weight: 600; } tr.main td { font-weight: 600; }
svg { width: 100%; max-width: 30rem; height: auto; display: block; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick { fill: var(--faint); }
polyline { fill: none; stroke: var(--faint); } .grid { stroke: var(--grid); }
.diagonal { stroke-dasharray: 4 3; } .bar { stroke: var(--c0); stroke-opacity: 0.25; }
.point { fill: var(--c0); fill-opacity: 0.65; } .series { stroke-width: 2; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
circle.s0 { fill: var(--c0); } circle.s1 { fill: var(--c1); } circle.s2 { fill: var(--c2); }
.key span { margin-right: 1rem; white-space: nowrap; } .key i { display: inline-block; width: 0.8em;
  height: 0.8em; border-radius: 50%; margin-right: 0.3em; }
.key i.k0 { background: var(--c0); } .key i.k1 { background: var(--c1); }
.key i.k2 { background: var(--c2); }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
UNLIKE = 0.05  # applicability below it: an extrapolation


def write_page(report):
    """Return the page of a `Report`."""
    title = f"How accurate: {report.target}"
    body = [f"<h1>How accurate are predictions of {escape(report.target)}?</h1>"]
    body += _summary(report)
    body += ["<h2>Scores</h2>", _score_table(report)]
    body.append(_score_note(report))
    for cv in report.cvs:
        body += _validation(report, cv)
    body += _curve(report)
    body += _settings(report)
    return PAGE.format(title=escape(title), style=STYLE, body="\n".join(body))


def _summary(report):
    first, *rest = summary_lines(report)
    lines = [f'<p class="lead">{escape(first)}</p>', "<ul>"]
    return [*lines, *(f"<li>{escape(line)}</li>" for line in rest), "</ul>"]


def _score_table(report):
    unit = report.unit
    rows = []
    for (cv, model), row in report.scores().iterrows():
        if report.classification:
            cells = [
                percent(row["accuracy"], 1),
                f"{percent(row['accuracy_low'], 1)} to {percent(row['accuracy_high'], 1)}",
                percent(row["balanced_accuracy"], 1),
                quantity(row["log_loss"]),
            ]
        else:
            span = f"{quantity(row['mae_low'])} to {quantity(row['mae_high'])}"
            cells = [quantity(row["mae"]), span, quantity(row["rmse"]), f"{row['r2']:.3f}"]
        rows.append([cv, model, *cells, f"{row['seconds']:.0f}"])
    if report.classification:
        names = ["accuracy", "95 % interval", "balanced accuracy", "log loss"]
    else:
        names = [f"MAE{f' ({unit})' if unit else ''}", "95 % interval", "RMSE", "R²"]
    marked = [row[1] == report.models[0] for row in rows]
    return write_html_table(["folds", "model", *names, "seconds"], rows, marked, text_columns=2)


def _score_note(report):
    lines = [f"{cv}: {CVS[cv]}." for cv in report.cvs]
    return f'<p class="note">{"<br>".join(map(escape, lines))}</p>'


def _validation(report, cv):
    """Return the part of one way to make folds."""
    found = report.of(cv)
    parts = [f"<h2>Predictions: {escape(cv)} folds</h2>"]
    parts.append(_confusion(found, report) if report.classification else _parity(found, report))
    if cv in ("element", "space-group"):
        parts += [f"<h3>Left out: each {escape(cv.replace('-', ' '))}</h3>", _folds(report, cv)]
    parts += ["<h3>Largest errors</h3>", _worst(report, cv)]
    return parts


def _parity(found, report):
    main, unit = report.models[0], f" ({report.unit})" if report.unit else ""
    predicted = found[f"predicted:{main}"].to_numpy()
    labels = [
        f"{name} {formula}: true {quantity(true)}, predicted {quantity(one)}"
        for name, formula, true, one in zip(
            found["id"], found["formula"], found["true"], predicted, strict=True
        )
    ]
    bounds = {}
    if "lower" in found:
        bounds = {"lower": found["lower"].to_numpy(), "upper": found["upper"].to_numpy()}
    chart = parity_chart(
        found["true"].to_numpy(),
        predicted,
        labels,
        **bounds,
        x_label=f"true {report.target}{unit}",
        y_label=f"predicted {report.target}{unit}",
    )
    what = f" Lines are {percent(report.coverage)} intervals." if bounds else ""
    text = f"Every point was predicted by a model that had not seen it.{what}"
    return f'{chart}<p class="note">{escape(text)}</p>'


def _confusion(found, report):
    true, predicted = found["true"].astype(str), found[f"predicted:{report.models[0]}"].astype(str)
    labels = sorted({*true, *predicted})
    table = pd.crosstab(true, predicted).reindex(index=labels, columns=labels, fill_value=0)
    rows = [[name, *map(str, row)] for name, row in zip(table.index, table.to_numpy())]
    names = ["true class", *(f"predicted {name}" for name in table.columns)]
    return write_html_table(names, rows)


def _folds(report, cv):
    table = report.fold_scores(cv)
    main = report.models[0]
    table = table.sort_values(main, ascending=report.classification)
    rows = [
        [str(name), f"{row['n_test']:.0f}", *(quantity(row[model]) for model in report.models)]
        for name, row in table.iterrows()
    ]
    return write_html_table([cv.replace("-", " "), "crystals", *report.models], rows)


def _worst(report, cv):
    found = report.worst(cv)
    main = report.models[0]
    show = str if report.classification else quantity
    names = ["crystal", "formula", "true", "predicted"]
    has_bounds, has_score = "lower" in found, "applicability" in found
    names += ["interval"] * has_bounds + ["applicability"] * has_score
    rows = []
    for _, row in found.iterrows():
        cells = [row["id"], row["formula"], show(row["true"]), show(row[f"predicted:{main}"])]
        if has_bounds:
            cells.append(f"{quantity(row['lower'])} to {quantity(row['upper'])}")
        if has_score:
            score = row["applicability"]
            cells.append(f"{score:.2f}{' (unlike the others)' if score < UNLIKE else ''}")
        rows.append(cells)
    return write_html_table(names, rows, text_columns=2)


def _curve(report):
    curve = report.learning_curve
    if curve is None:
        return []
    unit = f" ({report.unit})" if report.unit else ""
    what = "share of wrong classes" if report.classification else f"mean absolute error{unit}"
    series = {model: curve[f"error:{model}"].tolist() for model in report.models}
    parts = ["<h2>Learning curve</h2>"]
    if len(curve) > 1:
        chart = line_chart(
            curve["n_train"].tolist(), series, x_label="training crystals", y_label=what
        )
        key = "".join(
            f'<span><i class="k{number}"></i>{escape(model)}</span>'
            for number, model in enumerate(series)
        )
        parts += [chart, f'<p class="key">{key}</p>']
    rows = [
        [str(n), *(quantity(series[model][i]) for model in series)]
        for i, n in enumerate(curve["n_train"])
    ]
    parts.append(write_html_table(["training crystals", *series], rows))
    return [*parts, f"<p>{escape(describe_curve(report))}</p>"]


def _settings(report):
    settings = {
        "rows": report.predictions["row"].nunique(),
        **report.settings,
        "sklearn_cloud": __version__,
    }
    rows = [[name, _describe(value)] for name, value in settings.items()]
    return ["<h2>Settings</h2>", write_html_table(["setting", "value"], rows, text_columns=2)]


def _describe(value):
    """Return a setting as text, without the marks of Python's lists and dictionaries."""
    if isinstance(value, dict):
        return ", ".join(f"{name}={_describe(one)}" for name, one in value.items()) or "defaults"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_describe, value))
    return str(value)


def write_html_table(names, rows, marked=None, text_columns=1):
    """Return an HTML table of text, which is escaped.

    Parameters
    ----------
    names : list of str
    rows : list of list of str
    marked : list of bool, default=None
        Rows to emphasise.
    text_columns : int, default=1
        Number of columns of text, from the left; the others are numbers.

    Returns
    -------
    str
    """

    def write_row(cells, tag, number=None):
        name = ' class="main"' if marked and number is not None and marked[number] else ""
        kinds = [' class="text"' if i < text_columns else "" for i in range(len(cells))]
        written = "".join(
            f"<{tag}{kind}>{escape(str(cell))}</{tag}>" for kind, cell in zip(kinds, cells)
        )
        return f"<tr{name}>{written}</tr>"

    body = "".join(write_row(row, "td", number) for number, row in enumerate(rows))
    return f'<div class="scroll"><table>{write_row(names, "th")}{body}</table></div>'
