"""What the scores of a report say, as sentences."""

import numpy as np

from ..wording import percent
from .own_folds import CVS


def quantity(value, unit=None):
    """Return a number with three digits and its unit, or a dash if it is missing."""
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{value:#.3g}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3g}"
    text = text.rstrip(".")
    return f"{text} {unit}" if unit else text


def summary_lines(report):
    """Return what the scores say, as plain sentences; the first has the expected error."""
    cv, scores = report.cvs[0], report.scores()
    main, unit = report.models[0], report.unit
    row = scores.loc[(cv, main)]
    n_rows = report.predictions["row"].nunique()
    if report.classification:
        lines = [
            f"Expect {percent(row['accuracy'], 1)} of the predictions of {report.target} to be "
            f"right (95 % interval {percent(row['accuracy_low'], 1)} to "
            f"{percent(row['accuracy_high'], 1)}), estimated on {n_rows} crystals with {CVS[cv]}."
        ]
    else:
        lines = [
            f"Expect a mean absolute error of {quantity(row['mae'], unit)} for {report.target} "
            f"(95 % interval {quantity(row['mae_low'])} to {quantity(row['mae_high'])}), estimated "
            f"on {n_rows} crystals with {CVS[cv]}."
        ]
    for other in report.models[1:]:
        lines.append(_compare(report, scores.loc[(cv, other)], other))
    found = report.intervals(cv)
    if found:
        lines.append(
            f"{percent(found['observed'], 1)} of the {percent(found['nominal'])} intervals contain "
            f"the true value; their mean width is {quantity(found['mean_width'], unit)}."
        )
    return lines


def _compare(report, row, other):
    low, high = row["better_low"], row["better_high"]
    main, better = report.models[0], row["better_by"]
    if report.classification:
        amount = f"{percent(abs(better), 1)} of the crystals"
        ends = (percent(end, 1, sign="+") for end in (low, high))
        span = f"95 % interval of the difference {' to '.join(ends)}"
        what = ("right on more crystals than", "right on fewer crystals than")
    else:
        amount = quantity(abs(better), report.unit)
        span = f"95 % interval of the difference {quantity(low)} to {quantity(high)}"
        what = ("more accurate than", "less accurate than")
    if low > 0:
        return f"{main} is {what[0]} {other}, by {amount} ({span})."
    if high < 0:
        return f"{main} is {what[1]} {other}, by {amount} ({span}): take {other}."
    return f"These crystals do not show whether {main} or {other} is better ({span})."


def describe_curve(report):
    """Return what the last step of the learning curve gained, as a sentence."""
    curve = report.learning_curve
    if len(curve) < 2:
        return "There are too few crystals for smaller training sets."
    before, after = curve[f"error:{report.models[0]}"].iloc[-2:]
    few, many = curve["n_train"].iloc[-2:]
    change = percent((after - before) / before, sign="+") if before else "no change"
    return (
        f"From {few} to {many} training crystals the error of {report.models[0]} went from "
        f"{quantity(before)} to {quantity(after)} ({change})."
    )
