"""Tokens of a string along an axis."""

from .display import COLORS, GUIDE

#: Colour and name of each part of a string.
PARTS = {
    "generator": (COLORS[0], "generator string"),
    "sites": (COLORS[2], "sites"),
    "composition": (COLORS[1], "composition"),
    "special": (GUIDE, "special tokens"),
}
FONT = {"family": "monospace", "fontsize": "small"}


def label_tokens(axis, tokens, parts):
    """Write tokens at the ticks 0, 1, 2, ... of an axis, in the colours of their parts."""
    axis.set_ticks(range(len(tokens)), tokens, **FONT)
    if axis.axis_name == "x":
        for label in axis.get_ticklabels():
            label.set_rotation(90)
    for label, part in zip(axis.get_ticklabels(), parts, strict=True):
        label.set_color(PARTS[part][0])
    axis.set_tick_params(length=0)


def part_legend(ax, parts):
    """Add a legend of the parts above the axes; a title needs `pad=22` to clear it."""
    from matplotlib.patches import Patch

    shown = [part for part in PARTS if part in parts and part != "special"]
    ax.legend(
        handles=[Patch(color=PARTS[part][0], label=PARTS[part][1]) for part in shown],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(shown),
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
        handlelength=1,
        columnspacing=1,
    )


def part_borders(parts):
    """Return the boundaries between parts, as places between two tokens."""
    return [i - 0.5 for i in range(1, len(parts)) if parts[i] != parts[i - 1]]
