"""Small charts as SVG text: no matplotlib, readable in light and dark pages.

The style of lines, points and text is that of the page, see `report_html`.
"""

import math
from html import escape

import numpy as np

WIDTH, HEIGHT = 460, 420
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 14, 48
MOST_POINTS = 1500  # a page with more is slow


class Axis:
    """Map values to pixels.

    Parameters
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Pixels at the ends.
    log : bool, default=False
        Whether the scale is logarithmic.
    """

    def __init__(self, low, high, start, end, log=False):
        self.log = log
        self.low, self.high = self._scale(low), self._scale(high)
        self.start, self.end = start, end

    def _scale(self, value):
        return math.log(value) if self.log else value

    def __call__(self, value):
        share = (self._scale(value) - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def round_ticks(low, high, count=5):
    """Return about `count` round numbers between two values.

    Parameters
    ----------
    low, high : float
    count : int, default=5

    Returns
    -------
    list of float
    """
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def parity_chart(true, predicted, labels, *, lower=None, upper=None, x_label, y_label):
    """Return a chart of predicted against true values.

    Parameters
    ----------
    true, predicted : ndarray of shape (n_rows,)
    labels : list of str
        Text of each point, shown when the pointer is on it.
    lower, upper : ndarray of shape (n_rows,), default=None
        Bounds of the intervals, drawn as lines.
    x_label, y_label : str

    Returns
    -------
    str
    """
    rows = _some_rows(len(true))
    low, high = _limits(np.concatenate([true, predicted]))
    x = Axis(low, high, LEFT, WIDTH - RIGHT)
    y = Axis(low, high, HEIGHT - BOTTOM, TOP)
    ticks = round_ticks(low, high)
    parts = [*_frame(x, y, ticks, ticks, x_label, y_label)]
    parts.append(_line([(x(low), y(low)), (x(high), y(high))], "diagonal"))
    if lower is not None:
        parts += [
            _line(
                [(x(true[i]), y(max(lower[i], low))), (x(true[i]), y(min(upper[i], high)))], "bar"
            )
            for i in rows
            if lower[i] < high and upper[i] > low
        ]
    for i in rows:
        place = f'cx="{x(true[i])}" cy="{y(predicted[i])}"'
        parts.append(
            f'<circle class="point" {place} r="3"><title>{escape(labels[i])}</title></circle>'
        )
    return _svg(parts, f"{y_label} against {x_label}")


def line_chart(x_values, series, *, x_label, y_label):
    """Return a chart of lines over a logarithmic axis.

    Parameters
    ----------
    x_values : list of float
    series : dict of str to list of float
        At most three lines.
    x_label, y_label : str

    Returns
    -------
    str
    """
    highest = max(max(values) for values in series.values())
    x = Axis(min(x_values), max(x_values), LEFT + 10, WIDTH - RIGHT - 10, log=True)
    y = Axis(0.0, 1.05 * highest or 1.0, HEIGHT - BOTTOM, TOP)
    ticks = round_ticks(0.0, 1.05 * highest)
    parts = [*_frame(x, y, x_values, ticks, x_label, y_label)]
    for number, (name, values) in enumerate(series.items()):
        points = [(x(a), y(b)) for a, b in zip(x_values, values)]
        parts.append(_line(points, f"series s{number}"))
        for (cx, cy), value in zip(points, values):
            title = f"<title>{escape(name)}: {value:.4g}</title>"
            parts.append(f'<circle class="s{number}" cx="{cx}" cy="{cy}" r="4">{title}</circle>')
    return _svg(parts, f"{y_label} against {x_label}")


def _limits(values):
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def _some_rows(n_rows):
    if n_rows <= MOST_POINTS:
        return list(range(n_rows))
    return sorted(np.random.RandomState(0).choice(n_rows, MOST_POINTS, replace=False).tolist())


def _frame(x, y, x_ticks, y_ticks, x_label, y_label):
    """Return the grid, the numbers at the axes, and their labels."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for tick in y_ticks:
        yield _line([(LEFT, y(tick)), (right, y(tick))], "grid")
        place = f'x="{LEFT - 7}" y="{y(tick) + 4}"'
        yield f'<text class="tick" {place} text-anchor="end">{tick:g}</text>'
    for tick in x_ticks:
        yield _line([(x(tick), TOP), (x(tick), bottom)], "grid")
        yield (
            f'<text class="tick" x="{x(tick)}" y="{bottom + 18}" text-anchor="middle">{tick:g}'
            "</text>"
        )
    middle = (LEFT + right) / 2
    yield (
        f'<text class="label" x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
    )
    middle = (TOP + bottom) / 2
    yield (
        f'<text class="label" transform="translate(14 {middle}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )


def _line(points, name):
    path = " ".join(f"{px},{py}" for px, py in points)
    return f'<polyline class="{name}" points="{path}"/>'


def _svg(parts, title):
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )
