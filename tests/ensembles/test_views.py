from unittest import mock

import numpy as np
import pytest

from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.datasets import load_example
from sklearn_cloud.ensembles import views as views_module
from sklearn_cloud.ensembles.views import VIEWS, compute_views, make_views, read_crystals


@pytest.fixture(scope="module")
def crystals():
    return read_crystals(load_example().structures[::20], n_jobs=None, verbose=0)[0]


def test_numbers_next_to_the_strings_come_from_the_features(crystals):
    views = make_views(True, None, n_jobs=None, verbose=0)
    expected = SymmetryStringTransformer(numbers="bonds").fit_transform(crystals)
    describe = "sklearn_cloud.symmetry.strings.bond_numbers"
    with mock.patch(describe, side_effect=AssertionError("described twice")):
        tables = compute_views(views, crystals, VIEWS)
        # strings that are known are not searched again
        with mock.patch.object(views_module.SymmetryStringTransformer, "transform"):
            again = compute_views(views, crystals, VIEWS, strings=expected[:, 0])
    for strings in (tables["strings"], again["strings"]):
        assert strings[:, 0].tolist() == expected[:, 0].tolist()
        np.testing.assert_allclose(
            strings[:, 1:].astype(float), expected[:, 1:].astype(float), rtol=1e-12, atol=1e-12
        )
    assert compute_views(views, crystals, ("strings",))["strings"].shape == expected.shape


def test_formulas_have_strings_without_numbers():
    formulas, structures = read_crystals(["NaCl", "SrTiO3"], n_jobs=None, verbose=0)
    views = make_views(structures, None, n_jobs=None, verbose=0)
    tables = compute_views(views, formulas, VIEWS)
    assert tables["strings"].tolist() == ["Na 0.5 Cl 0.5", "Sr 0.2 Ti 0.2 O 0.6"]
    known = compute_views(views, formulas, VIEWS, strings=np.array(["a", "b"], dtype=object))
    assert known["strings"].tolist() == ["a", "b"]
