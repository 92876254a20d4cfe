"""Tables of the members."""

import numpy as np
import pytest
from pymatgen.io.cif import CifWriter

from sklearn_cloud import CrystalRegressor
from sklearn_cloud.ensembles.views import round_features


def test_features_have_six_digits():
    table = np.array([[1 / 3, 13.9999999999, 2e-16, -123456.7, 0.0, np.nan, 0.01234567]])
    expected = [[0.333333, 14.0, 0.0, -123457.0, 0.0, np.nan, 0.0123457]]
    np.testing.assert_allclose(round_features(table), expected, rtol=1e-12, atol=0)
    noise = table * (1 + 1e-12) + 1e-13
    np.testing.assert_array_equal(round_features(noise), round_features(table))


@pytest.mark.parametrize("member", ["boosting", "extra-trees"])
def test_a_crystal_and_its_file_are_predicted_alike(table, member, monkeypatch, tmp_path):
    monkeypatch.undo()  # the members of the package
    crystals, _, y = table
    model = CrystalRegressor(members=[member], cv=3, random_state=0).fit(crystals, y)
    files = [tmp_path / f"{row}.cif" for row in range(len(crystals))]
    for crystal, file in zip(crystals, files, strict=True):
        CifWriter(crystal, significant_figures=14).write_file(file)
    difference = np.abs(model.predict(files) - model.predict(crystals))
    assert (difference == 0).mean() > 0.95
