"""Prediction intervals by MAPIE around the pipeline, with crystals as X."""

import math

import numpy as np
import pytest
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

regression = pytest.importorskip("mapie.regression", reason="needs MAPIE")

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer  # noqa: E402
from sklearn_cloud.datasets import load_example  # noqa: E402
from sklearn_cloud.encoder import EncoderConfig  # noqa: E402

LEVEL = 0.8


@pytest.fixture(scope="module")
def data():
    crystals, gaps = load_example(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(gaps))[:110]
    return crystals[rows], gaps[rows]


@pytest.fixture
def model():
    tiny = EncoderConfig(n_layers=1, n_heads=2, width=16)
    return make_pipeline(
        SymmetryStringTransformer(),
        CloudRegressor(tiny, max_epochs=3, learning_rate=1e-2, random_state=0),
    )


@pytest.fixture
def paths(data, tmp_path):
    """The crystals as an array of paths of CIF files; MAPIE asks a list for numbers of columns."""
    files = [tmp_path / f"{row}.cif" for row in range(len(data[0]))]
    for file, crystal in zip(files, data[0], strict=True):
        crystal.to(str(file))
    return np.array(files, dtype=object)


@pytest.mark.parametrize("container", ["array", "list", "paths"])
def test_split_conformal_intervals(model, data, container, request):
    crystals, gaps = data
    if container == "list":
        crystals = list(crystals)
    elif container == "paths":
        crystals = request.getfixturevalue("paths")
    model.fit(crystals[:60], gaps[:60])
    intervals = regression.SplitConformalRegressor(model, confidence_level=LEVEL, prefit=True)
    intervals.conformalize(crystals[60:99], gaps[60:99])
    predicted, limits = intervals.predict_interval(crystals[99:])
    np.testing.assert_array_equal(predicted, model.predict(crystals[99:]))
    # Half the width is the residual that 80 % of the conformalisation rows stay below.
    residuals = np.sort(np.abs(gaps[60:99] - model.predict(crystals[60:99])))
    half = residuals[math.ceil(LEVEL * 40) - 1]
    np.testing.assert_allclose(limits[:, :, 0].T, [predicted - half, predicted + half])


@pytest.mark.parametrize("container", ["array", "paths"])
def test_cross_conformal_intervals(model, data, container, request):
    crystals, gaps = data
    crystals = request.getfixturevalue("paths") if container == "paths" else crystals
    intervals = regression.CrossConformalRegressor(
        model, confidence_level=[0.5, 0.9], cv=KFold(3, shuffle=True, random_state=0)
    )
    intervals.fit_conformalize(crystals[:90], gaps[:90])
    predicted, limits = intervals.predict_interval(crystals[90:])
    assert predicted.shape == (20,) and limits.shape == (20, 2, 2)
    widths = limits[:, 1] - limits[:, 0]
    assert (widths > 0).all() and (widths[:, 1] >= widths[:, 0]).all()


def test_quantile_regression(data):
    """Three quantiles of the pinball loss, as MAPIE wants them: lower, upper, median."""
    crystals, gaps = data
    strings = SymmetryStringTransformer().fit_transform(crystals)
    tiny = EncoderConfig(n_layers=1, n_heads=2, width=16)
    models = [
        CloudRegressor(
            tiny, loss="quantile", quantile=q, max_epochs=20, learning_rate=1e-2, random_state=0
        ).fit(strings[:60], gaps[:60])
        for q in (0.1, 0.9, 0.5)
    ]
    low, high, _ = (model.predict(strings[99:]) for model in models)
    assert (low < high).mean() > 0.8
    intervals = regression.ConformalizedQuantileRegressor(
        models, confidence_level=LEVEL, prefit=True
    )
    intervals.conformalize(strings[60:99], gaps[60:99])
    predicted, limits = intervals.predict_interval(strings[99:])
    np.testing.assert_array_equal(predicted, models[2].predict(strings[99:]))
    assert limits.shape == (11, 2, 1) and np.isfinite(limits).all()
