"""Draw the picture of the start page, docs/images/overview.png.

    python docs/make_figure.py

A crystal of the example table, its symmetry string, the vector that the pre-trained encoder gives
it, and the band gap that a model trained on the other crystals predicts.
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudEmbedder, CloudRegressor, SymmetryStringTransformer, symmetry_string
from sklearn_cloud.datasets import load_example

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of a backend without a window
from matplotlib.patches import FancyBboxPatch  # noqa: E402

FORMULA = "SrTiO3"
PARTS = {"space group": "#4c72b0", "sites": "#2e8b57", "composition": "#c05a2c"}
ATOMS = {"Sr": ("#5b8c5a", 620), "Ti": ("#8a8d91", 420), "O": ("#d1495b", 260)}
PATH = Path(__file__).parent / "images/overview.png"


def main():
    example = load_example()
    row = int(np.flatnonzero(example.frame["formula"] == FORMULA)[0])
    crystal, gap = example.structures[row], example.target[row]
    string = symmetry_string(crystal)
    vector = CloudEmbedder().fit_transform([string])[0]
    others = np.arange(len(example.target)) != row
    model = make_pipeline(SymmetryStringTransformer(), CloudRegressor(random_state=0))
    model.fit(example.structures[others], example.target[others])
    predicted = model.predict([crystal])[0]

    figure, axes = plt.subplots(figsize=(12, 3.3))
    axes.set(xlim=(0, 12), ylim=(0, 3.3), position=[0, 0, 1, 1])
    axes.axis("off")
    draw_crystal(axes, crystal, center=(1.25, 1.75), size=1.05)
    draw_string(axes, string, left=3.0)
    draw_encoder(axes, vector, left=7.35)
    draw_property(axes, predicted, gap, left=10.15)
    for x in (2.5, 6.88, 9.72):
        axes.annotate("", (x + 0.36, 1.75), (x, 1.75), arrowprops=ARROW)
    for x, text in ((1.25, "crystal"), (4.9, "symmetry string"), (8.5, "encoder")):
        axes.text(x, 0.22, text, ha="center", fontsize=13, color="0.25")
    axes.text(11.0, 0.22, "property", ha="center", fontsize=13, color="0.25")
    figure.savefig(PATH, dpi=160, facecolor="white")


ARROW = {"arrowstyle": "-|>", "color": "0.45", "linewidth": 2, "mutation_scale": 22}


def draw_crystal(axes, crystal, center, size):
    """The cell, seen a little from above, atoms at the front over those behind."""
    positions, elements = sites_in_cell(crystal)
    project = view(center, size)
    for start, end in cell_edges():
        x, y, _ = project(np.array([start, end])).T
        axes.plot(x, y, color="0.6", linewidth=1, zorder=1)
    places = project(positions)
    for i in np.argsort(places[:, 2]):
        color, area = ATOMS[elements[i]]
        depth = 2 + places[i, 2]
        axes.scatter(*places[i, :2], s=area, color=color, edgecolor="white", zorder=depth)


def sites_in_cell(crystal):
    """Fractional coordinates with the copies on the faces of the cell, and elements."""
    positions, elements = [], []
    for site in crystal:
        base = np.mod(site.frac_coords, 1)
        for shift in np.ndindex(2, 2, 2):
            if np.all(base + shift < 1.01):
                positions.append(base + shift)
                elements.append(site.specie.symbol)
    return np.array(positions), elements


def view(center, size):
    """Parallel projection: fractional coordinates to x, y and depth."""
    turn, tilt = np.radians(-28), np.radians(16)
    around = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    down = [[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]]
    turned = np.array(down) @ np.array(around)

    def project(positions):
        x, away, up = turned @ ((np.asarray(positions) - 0.5).T * 1.25 * size)
        return np.column_stack([x + center[0], up + center[1], -away])

    return project


def cell_edges():
    corners = list(np.ndindex(2, 2, 2))
    return [
        (a, b) for a in corners for b in corners if a < b and np.abs(np.subtract(a, b)).sum() == 1
    ]


def draw_string(axes, string, left):
    """The three parts, each symbol in a box of its own."""
    for line, (part, (name, color)) in enumerate(zip(string.split(" | "), PARTS.items())):
        y = 2.72 - 0.98 * line
        axes.text(left, y + 0.2, name, fontsize=10, color=color, va="bottom")
        x = left
        for word in part.split(" "):
            width = 0.1 + 0.095 * len(word)
            box = FancyBboxPatch(
                (x, y - 0.17),
                width,
                0.3,
                boxstyle="round,pad=0,rounding_size=0.05",
                facecolor=color,
                alpha=0.14,
                edgecolor="none",
            )
            axes.add_patch(box)
            axes.text(
                x + width / 2,
                y - 0.02,
                word,
                ha="center",
                va="center",
                fontsize=9.5,
                color=color,
                family="monospace",
            )
            x += width + 0.012
    return x


def draw_encoder(axes, vector, left):
    """Layers of the encoder, and the vector that comes out."""
    for layer in range(4):
        box = FancyBboxPatch(
            (left + 0.2 * layer, 1.05 + 0.13 * layer),
            1.5,
            1.2,
            boxstyle="round,pad=0,rounding_size=0.08",
            facecolor="#e8ecf4",
            edgecolor="#4c72b0",
            linewidth=1.2,
            zorder=3 - layer * 0.1,
        )
        axes.add_patch(box)
    axes.text(
        left + 0.75, 1.65, "BERT\npre-trained", ha="center", va="center", fontsize=11, zorder=5
    )
    grid = vector.reshape(-1, 4)
    limit = np.abs(grid).max()
    axes.imshow(
        grid,
        extent=(left + 1.98 + 0.2, left + 2.18 + 0.1, 0.75, 2.95),
        aspect="auto",
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        zorder=4,
    )


def draw_property(axes, predicted, measured, left):
    axes.text(left + 0.85, 2.0, f"{predicted:.1f} eV", ha="center", fontsize=25, color="#222222")
    axes.text(left + 0.85, 1.55, "predicted band gap", ha="center", fontsize=11, color="0.25")
    axes.text(
        left + 0.85, 1.22, f"(measured: {measured:.1f} eV)", ha="center", fontsize=10, color="0.45"
    )


if __name__ == "__main__":
    main()
