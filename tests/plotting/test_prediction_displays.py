"""Displays that draw predictions: parity, stability, calibration."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sklearn_cloud.evaluation import stability_table
from sklearn_cloud.plotting import (
    ApplicabilityDisplay,
    CalibrationDisplay,
    ParityDisplay,
    StabilityROCDisplay,
)


def legend_texts(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_nothing_is_imported_before_it_is_drawn():
    import subprocess

    code = (
        "import sys; import sklearn_cloud.plotting; "
        "print(sorted({'matplotlib', 'torch', 'pymatgen'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    display = ParityDisplay([1, 2], [1, 2])
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[plot\]'"):
        display.plot()


def test_the_extra_is_named_before_anything_is_predicted(monkeypatch):
    class Untouchable:
        def predict(self, X):
            raise AssertionError("predicted")

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for display in (ParityDisplay, StabilityROCDisplay, CalibrationDisplay):
        with pytest.raises(ImportError, match="sklearn-cloud"):
            display.from_estimator(Untouchable(), [], [])


def test_parity_draws_every_point():
    y_true, y_pred = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.5, 2.0, 3.0, 9.0])
    display = ParityDisplay.from_predictions(
        y_true, y_pred, target_name="band gap", unit="eV", name="CLOUD"
    )
    np.testing.assert_array_equal(display.scatter_.get_offsets(), np.c_[y_true, y_pred])
    assert display.mae == pytest.approx(0.625)
    assert legend_texts(display) == ["CLOUD: MAE 0.625 eV, R² 0.922"]
    assert display.ax_.get_xlabel() == "true band gap (eV)"
    assert display.ax_.get_ylabel() == "predicted band gap (eV)"
    assert display.ax_.get_xlim() == display.ax_.get_ylim()
    assert display.ax_.get_xlim()[0] < 1 and display.ax_.get_xlim()[1] > 9
    assert display.figure_ is display.ax_.figure
    (diagonal_x, diagonal_y) = display.line_.get_data()
    np.testing.assert_array_equal(diagonal_x, diagonal_y)


def test_parity_without_unit_and_name():
    display = ParityDisplay.from_predictions([1, 2, 3], [1, 2, 3])
    assert legend_texts(display) == ["MAE 0.00, R² 1.000"]
    assert display.ax_.get_xlabel() == "true target"


def test_parity_histogram_holds_the_errors():
    errors = np.random.RandomState(0).normal(2.0, 0.5, 500)
    display = ParityDisplay.from_predictions(np.zeros(500), errors, unit="eV")
    x, density = display.errors_.get_xy().T
    mean = np.average((x[1:] + x[:-1]) / 2, weights=np.diff(x) * density[:-1])
    assert mean == pytest.approx(2.0, abs=0.3)
    # The outline runs back along the bottom; the upper part encloses an area of 1.
    assert np.sum(np.diff(x) * np.minimum(density[:-1], density[1:])) == pytest.approx(1, abs=0.05)
    low, high = display.histogram_ax_.get_xlim()
    assert low == -high and high > 3
    assert display.histogram_ax_.get_xlabel() == "error (eV)"
    assert display.histogram_ax_.get_position().y1 < display.ax_.get_position().y0


def test_parity_histogram_on_request_only():
    figure, (ax, other) = plt.subplots(2)
    display = ParityDisplay([1, 2, 3], [2, 2, 2])
    assert display.plot(ax, histogram=False).histogram_ax_ is None
    assert not ax.child_axes and len(figure.axes) == 2
    assert display.plot(ax, histogram=other).histogram_ax_ is other
    assert display.plot(ax).histogram_ax_ in ax.child_axes


def test_two_models_share_the_axes():
    first = ParityDisplay.from_predictions([0, 1, 2], [0, 1, 3], name="forest")
    second = ParityDisplay.from_predictions(
        [0, 1, 9], [0, 2, 2], name="CLOUD", ax=first.ax_, histogram=first.histogram_ax_
    )
    assert second.ax_ is first.ax_
    assert [text.split(":")[0] for text in legend_texts(second)] == ["forest", "CLOUD"]
    assert first.ax_.get_xlim()[1] > 9
    colors = [tuple(d.scatter_.get_facecolor()[0, :3]) for d in (first, second)]
    assert colors[0] != colors[1]
    for display, color in zip((first, second), colors):
        assert to_rgb(display.errors_.get_edgecolor()) == color


def test_parity_from_a_pipeline(pipeline, crystals):
    display = ParityDisplay.from_estimator(pipeline, *crystals, unit="eV")
    expected = np.c_[crystals[1], pipeline.predict(crystals[0])]
    np.testing.assert_allclose(display.scatter_.get_offsets(), expected)


def test_parity_from_an_estimator_on_strings(regressor, strings):
    display = ParityDisplay.from_estimator(
        regressor, strings, np.zeros(5), ax=plt.subplots()[1], scatter_kwargs={"s": 3}
    )
    np.testing.assert_allclose(display.scatter_.get_offsets()[:, 1], regressor.predict(strings))
    assert display.scatter_.get_sizes().tolist() == [3]


def test_parity_needs_a_regressor(classifier, strings):
    with pytest.raises(TypeError, match="needs a regressor, got CloudClassifier"):
        ParityDisplay.from_estimator(classifier, strings, np.zeros(5))


@pytest.mark.parametrize("y_pred", [[1.0], [1.0, np.nan], [[1.0], [2.0]]])
def test_parity_of_what_does_not_match(y_pred):
    with pytest.raises(ValueError, match="true and predicted|not finite"):
        ParityDisplay.from_predictions([1.0, 2.0], y_pred)


@pytest.fixture
def energies():
    rng = np.random.RandomState(0)
    e_true = rng.normal(0.05, 0.1, 300)
    e_pred = e_true + rng.normal(0, 0.05, 300)
    e_pred[:5] = np.nan
    return e_true, e_pred


def test_roc_curve_and_its_thresholds(energies):
    display = StabilityROCDisplay.from_predictions(*energies, name="CLOUD")
    table = stability_table(*energies)
    x, y = display.line_.get_data()
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(table["roc_auc"].iloc[0], abs=1e-6)
    for threshold, line in display.threshold_lines_.items():
        point = (line.get_xdata()[0], line.get_ydata()[0])
        scores = table.loc[threshold]
        assert point == pytest.approx((1 - scores["tnr"], scores["tpr"]))
    assert list(display.threshold_lines_) == [-0.05, 0.0, 0.05]
    assert legend_texts(display) == [
        f"CLOUD: AUC {display.roc_auc:.3f}",
        "up to −0.05 eV/atom",
        "up to 0 eV/atom",
        "up to 0.05 eV/atom",
    ]


def test_two_roc_curves_explain_the_thresholds_once(energies):
    first = StabilityROCDisplay.from_predictions(*energies, thresholds=[0.1], name="a")
    second = StabilityROCDisplay.from_predictions(
        *energies, thresholds=[0.1], name="b", ax=first.ax_
    )
    texts = legend_texts(second)
    assert [text[:2] for text in texts] == ["a:", "b:", "up"]
    assert second.chance_line_ is None and first.chance_line_ is not None
    assert second.line_.get_color() != first.line_.get_color()


def test_roc_of_a_subset(energies):
    e_true, e_pred = energies
    subset = np.arange(300) < 100
    display = StabilityROCDisplay.from_predictions(e_true, e_pred, subset=subset)
    alone = StabilityROCDisplay.from_predictions(e_true[:100], e_pred[:100])
    assert display.roc_auc == alone.roc_auc


def test_roc_from_formation_energies(regressor, strings):
    e_true, hull = np.array([-0.1, 0.1, -0.2, 0.3, 0.2]), np.array([1.0, 2.0, 0.5, 3.0, -2.0])
    display = StabilityROCDisplay.from_estimator(regressor, strings, e_true, hull_energies=hull)
    expected = StabilityROCDisplay.from_predictions(e_true, regressor.predict(strings) - hull)
    np.testing.assert_array_equal(display.line_.get_xydata(), expected.line_.get_xydata())
    with pytest.raises(ValueError, match="hull_energies of shape"):
        StabilityROCDisplay.from_estimator(regressor, strings, e_true, hull_energies=hull[:2])


def test_roc_from_a_pipeline(pipeline, crystals):
    e_true = np.where(crystals[1] > np.median(crystals[1]), 0.1, -0.1)
    display = StabilityROCDisplay.from_estimator(pipeline, crystals[0], e_true)
    expected = StabilityROCDisplay.from_predictions(e_true, pipeline.predict(crystals[0]))
    assert display.roc_auc == expected.roc_auc


def test_roc_needs_a_regressor(classifier, strings):
    with pytest.raises(TypeError, match="needs a regressor"):
        StabilityROCDisplay.from_estimator(classifier, strings, np.zeros(5))


def test_calibrated_standard_deviations_lie_on_the_diagonal():
    rng = np.random.RandomState(0)
    std = rng.uniform(0.5, 2.0, 20_000)
    y_true = rng.normal(3.0, std)
    good = CalibrationDisplay.from_predictions(y_true, np.full(20_000, 3.0), std, unit="eV")
    np.testing.assert_allclose(good.line_.get_ydata(), good.line_.get_xdata(), atol=0.02)
    assert good.miscalibration < 0.01
    sure = CalibrationDisplay.from_predictions(
        y_true, np.full(20_000, 3.0), std / 2, name="sure", ax=good.ax_
    )
    assert (sure.observed < sure.levels).all()
    assert sure.ideal_line_ is None
    # 1.96 standard deviations to either side
    assert good.width == pytest.approx(2 * 1.959964 * std.mean())
    assert legend_texts(good)[0].endswith(f"95 % in {good.width:.2f} eV")


def test_calibration_of_intervals():
    intervals = np.array([[[0, -9], [1, 9]], [[0, -9], [1, 9]], [[5, -9], [6, 9]]])
    display = CalibrationDisplay.from_intervals([0.5, 2.0, 5.0], intervals, [0.5, 0.9])
    np.testing.assert_allclose(display.line_.get_xydata(), [[0.5, 2 / 3], [0.9, 1.0]])
    assert display.width == 18.0
    turned = CalibrationDisplay.from_intervals([0.5, 2, 5], intervals[..., ::-1], [0.9, 0.5])
    np.testing.assert_array_equal(turned.observed, display.observed)


def test_calibration_of_a_gaussian_process_on_crystals(tiny, crystals):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.pipeline import make_pipeline

    from sklearn_cloud import CloudEmbedder, SymmetryStringTransformer

    model = make_pipeline(
        SymmetryStringTransformer(),
        CloudEmbedder(tiny),
        GaussianProcessRegressor(alpha=0.1, optimizer=None),
    ).fit(*crystals)
    display = CalibrationDisplay.from_estimator(model, *crystals, levels=[0.5, 0.9])
    y_pred, y_std = model.predict(crystals[0], return_std=True)
    inside = np.abs(crystals[1] - y_pred) <= 1.6448536 * y_std
    assert display.observed[1] == pytest.approx(inside.mean())


def test_calibration_without_standard_deviations(pipeline, crystals):
    with pytest.raises(TypeError, match="CloudRegressor does not predict standard deviations"):
        CalibrationDisplay.from_estimator(pipeline, *crystals)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 2], [1, -1]), "negative in row 1"),
        (([1, 2], [1, 2], [1, np.nan]), "y_std is not finite in row 1"),
        (([1, np.inf], [1, 2], [1, 1]), "y_true is not finite in row 1"),
        (([1, 2], [1, 2, 3], [1, 1]), "of the same length"),
    ],
)
def test_calibration_of_bad_numbers(arguments, message):
    with pytest.raises(ValueError, match=message):
        CalibrationDisplay.from_predictions(*arguments)


def test_calibration_of_bad_levels_and_intervals():
    with pytest.raises(ValueError, match="between 0 and 1"):
        CalibrationDisplay.from_predictions([1.0], [1.0], [1.0], levels=[0.5, 95])
    with pytest.raises(ValueError, match=r"\(1, 2, 2\), got \(1, 2, 1\)"):
        CalibrationDisplay.from_intervals([1.0], [[[0.0], [1.0]]], [0.5, 0.9])


def test_error_against_applicability():
    rng = np.random.RandomState(0)
    applicability = rng.rand(400)
    y = rng.normal(size=400)
    predicted = y + rng.normal(size=400) * (1.1 - applicability)
    display = ApplicabilityDisplay.from_predictions(
        y, predicted, applicability, n_groups=4, name="CLOUD", unit="eV"
    )
    assert (np.diff(display.error) < 0).all() and (np.diff(display.applicability) > 0).all()
    lowest = np.argsort(applicability)[:100]
    assert display.error[0] == pytest.approx(np.abs(predicted - y)[lowest].mean())
    assert display.ax_.get_ylabel() == "mean absolute error (eV)"
    assert legend_texts(display)[0].startswith("CLOUD: MAE ")


def test_applicability_of_what_has_none():
    with pytest.raises(TypeError, match="list has no applicability"):
        ApplicabilityDisplay.from_estimator([], ["NaCl"], [1.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"applicability": [0.5]}, "of the same length"),
        ({"y_pred": [1.0, np.nan, 3.0]}, "not finite in row 1"),
        ({"n_groups": 4}, "n_groups=4 must be between 1 and 3 rows"),
    ],
)
def test_bad_input_of_the_applicability_display(change, message):
    values = {"y_true": [1, 2, 3], "y_pred": [1, 2, 3], "applicability": [0, 0.5, 1], "n_groups": 2}
    with pytest.raises(ValueError, match=message):
        ApplicabilityDisplay.from_predictions(**{**values, **change})
