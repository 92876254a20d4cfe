"""Tables of the members."""

import numpy as np
import pytest
from pymatgen.io.cif import CifWriter

from sklearn_cloud import CrystalRegressor


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
