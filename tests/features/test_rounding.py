"""Rounding of features."""

import numpy as np
from pymatgen.io.cif import CifWriter

from sklearn_cloud.baselines import GeometryTreesRegressor
from sklearn_cloud.datasets import load_example
from sklearn_cloud.features.rounding import round_features


def test_features_have_six_digits():
    table = np.array([[1 / 3, 13.9999999999, 2e-16, -123456.7, 0.0, np.nan, 0.01234567]])
    expected = [[0.333333, 14.0, 0.0, -123457.0, 0.0, np.nan, 0.0123457]]
    np.testing.assert_allclose(round_features(table), expected, rtol=1e-12, atol=0)
    noise = table * (1 + 1e-12) + 1e-13
    np.testing.assert_array_equal(round_features(noise), round_features(table))


def test_a_baseline_predicts_a_crystal_and_its_file_alike(tmp_path):
    crystals, y = load_example(return_X_y=True)
    crystals, y = crystals[::4], y[::4]
    model = GeometryTreesRegressor(n_estimators=20, random_state=0).fit(crystals, y)
    files = [tmp_path / f"{row}.cif" for row in range(len(crystals))]
    for crystal, file in zip(crystals, files, strict=True):
        CifWriter(crystal, significant_figures=14).write_file(file)
    difference = np.abs(model.predict(files) - model.predict(crystals))
    assert (difference == 0).mean() > 0.95
