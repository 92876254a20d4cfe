"""Displays of scaling laws."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_cloud.plotting import IsoLossDisplay, ScalingCurveDisplay
from sklearn_cloud.scaling import ScalingLaw


@pytest.fixture
def law():
    return ScalingLaw.from_coefficients(A=90.7464, B=21.9854, E=0.2296, alpha=0.4339, beta=0.3518)


@pytest.fixture
def X():
    N, D = np.meshgrid([1e5, 1e6, 1e7], [1e6, 1e8])
    return np.column_stack([N.ravel(), D.ravel()])


@pytest.mark.parametrize("against, column, n_lines", [("data", 1, 3), ("model", 0, 2)])
def test_curves_show_the_losses_and_the_law(law, X, against, column, n_lines):
    losses = 1.01 * law.predict(X)
    display = ScalingCurveDisplay.from_estimator(law, X, losses, against=against)
    np.testing.assert_allclose(display.scatter_.get_offsets(), np.c_[X[:, column], losses])
    assert len(display.lines_) == n_lines
    for line, other in zip(display.lines_, np.unique(X[:, 1 - column]), strict=True):
        sizes = np.full((len(line.get_xdata()), 2), other)
        sizes[:, column] = line.get_xdata()
        np.testing.assert_allclose(line.get_ydata(), law.predict(sizes))
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    labels = ["model size N", "data size D"]
    assert display.ax_.get_xlabel() == labels[column]
    assert display.colorbar_.ax.get_ylabel() == labels[1 - column]
    plt.close(display.figure_)


def test_two_single_curves_share_axes(law, X):
    rows = X[:, 1] == 1e8
    first = ScalingCurveDisplay.from_estimator(
        law, X[rows], law.predict(X[rows]), against="model", name="pre-trained", unit="nats"
    )
    second = ScalingCurveDisplay.from_estimator(
        law, X[rows], 2 * law.predict(X[rows]), against="model", name="scratch", ax=first.ax_
    )
    assert first.colorbar_ is None and first.ax_ is second.ax_
    assert first.lines_[0].get_color() != second.lines_[0].get_color()
    assert [t.get_text() for t in first.ax_.get_legend().get_texts()] == ["pre-trained", "scratch"]
    plt.close(first.figure_)


def test_curves_name_what_is_wrong(law, X):
    with pytest.raises(ValueError, match="'data' or 'model', got 'compute'"):
        ScalingCurveDisplay.from_estimator(law, X, law.predict(X), against="compute")
    with pytest.raises(ValueError, match="6 rows, but there are 2 losses"):
        ScalingCurveDisplay.from_estimator(law, X, [1, 2])


def test_the_frontier_meets_each_contour_at_its_smallest_budget(law):
    display = IsoLossDisplay.from_estimator(law, compute_range=(1e14, 1e20), n_levels=5)
    paths = display.contours_.get_paths()
    assert len(paths) == 5
    for level, path in zip(display.levels, paths, strict=True):
        budget, size = min(path.vertices.tolist())
        assert size == pytest.approx(law.optimal_allocation(budget)[0], rel=0.2)
        best = np.column_stack(law.optimal_allocation([budget]))
        assert law.predict(best).item() == pytest.approx(level, rel=1e-3)
    np.testing.assert_allclose(
        display.frontier_line_.get_ydata(),
        law.optimal_allocation(display.frontier_line_.get_xdata())[0],
    )
    assert display.scatter_ is None
    plt.close(display.figure_)


def test_trainings_are_points_and_set_the_range(law, X):
    display = IsoLossDisplay.from_estimator(law, X)
    budgets = 6 * X[:, 0] * X[:, 1]
    np.testing.assert_allclose(display.scatter_.get_offsets(), np.c_[budgets, X[:, 0]])
    assert display.compute[[0, -1]] == pytest.approx([budgets.min(), budgets.max()])
    plt.close(display.figure_)


def test_contours_need_a_range(law):
    with pytest.raises(ValueError, match="Pass X or compute_range"):
        IsoLossDisplay.from_estimator(law)
    with pytest.raises(ValueError, match="must be two positive, ascending numbers, got"):
        IsoLossDisplay.from_estimator(law, compute_range=(1e20, 1e14))


def test_without_matplotlib_the_extra_is_named(law, X, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[plot\]'"):
        ScalingCurveDisplay.from_estimator(law, X, law.predict(X))
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[plot\]'"):
        IsoLossDisplay.from_estimator(law, X)
