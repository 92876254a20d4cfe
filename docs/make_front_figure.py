"""Draw the picture of the front page, docs/images/front.png.

    python docs/make_front_figure.py

`CrystalRegressor` is fitted on 226 of the 302 example crystals and predicts the band gaps of the
others, with 90 % intervals.
"""

import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_cloud import CrystalRegressor
from sklearn_cloud.datasets import load_example

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the choice of a backend without a window

PATH = Path(__file__).parent / "images/front.png"


def main():
    crystals, y = load_example(return_X_y=True)
    train, test, y_train, y_test = train_test_split(crystals, y, random_state=0)
    start = time.process_time()
    model = CrystalRegressor(random_state=0).fit(train, y_train)
    seconds = time.process_time() - start
    found = model.predict_all(test)
    error = np.abs(found["predicted"] - y_test).mean()
    covered = (found["lower"] <= y_test) & (y_test <= found["upper"])
    title = (
        f"{len(train)} crystals, fitted in {seconds / 60:.1f} min of one core\n"
        f"expected error {model.expected_error_:.2f} eV, found {error:.2f} eV"
    )
    draw(found, y_test, covered, title)


def draw(found, y, covered, title):
    figure, axes = plt.subplots(figsize=(5.2, 4.6), layout="constrained")
    limits = (-1.0, y.max() + 1)
    axes.plot(limits, limits, ":", color="0.55", linewidth=1)
    for inside, color, label in ((True, "#0072B2", "in its interval"), (False, "#D55E00", "not")):
        rows = covered == inside
        below, above = found["predicted"] - found["lower"], found["upper"] - found["predicted"]
        axes.errorbar(
            y[rows],
            found["predicted"][rows],
            yerr=np.maximum([below[rows], above[rows]], 0),
            fmt="o",
            markersize=4,
            elinewidth=0.8,
            color=color,
            ecolor=matplotlib.colors.to_rgba(color, 0.35),
            label=f"{label} ({rows.sum()})",
        )
    axes.set(xlabel="measured band gap (eV)", ylabel="predicted, 90 % interval (eV)", xlim=limits)
    axes.set_title(title, fontsize=10)
    axes.legend(frameon=False)
    figure.savefig(PATH, dpi=150, facecolor="white")


if __name__ == "__main__":
    main()
