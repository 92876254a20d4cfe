import moyopy
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud import CrystalError
from sklearn_cloud.features import ElementFractions, GeometryFeatures, SpaceGroupFractions

SALT = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
FLAT = Structure(Lattice([[4, 0, 0], [0, 4, 0], [4, 4, 0]]), ["Na"], [[0, 0, 0]])


@pytest.mark.parametrize("features", [GeometryFeatures, SpaceGroupFractions])
def test_rows_that_cannot_be_described_are_nan(features):
    rows = [SALT, FLAT, SALT, "no crystal", "NaCl"]
    with pytest.warns(UserWarning, match="3 of 5 rows .* their numbers are NaN") as caught:
        table = features(on_error="warn").fit_transform(rows)
    assert len(caught) == 1
    assert all(f"row {row}: " in str(caught[0].message) for row in (1, 3, 4))
    np.testing.assert_array_equal(np.isnan(table).all(axis=1), [False, True, False, True, True])
    np.testing.assert_array_equal(table[[0, 2]], features().fit_transform([SALT, SALT]))
    with pytest.raises(CrystalError, match="2 of 5 rows cannot be used: row 1: the cell has no"):
        features().fit_transform(rows)


def test_compositions_that_cannot_be_read_are_nan():
    with pytest.warns(UserWarning, match="2 of 4 rows .* their numbers are NaN: rows .1, 3."):
        table = ElementFractions(on_error="warn").fit_transform([SALT, "Qq", "NaCl", None])
    np.testing.assert_array_equal(np.isnan(table).all(axis=1), [False, True, False, True])
    np.testing.assert_array_equal(table[[0, 2]].sum(axis=1), [1, 1])


def test_on_error_is_raise_or_warn():
    with pytest.raises(ValueError, match="on_error must be 'raise' or 'warn', got 'ignore'"):
        GeometryFeatures(on_error="ignore").fit([SALT])


def test_geometry_is_searched_again_with_a_narrower_tolerance(monkeypatch):
    expected = GeometryFeatures().fit_transform([SALT])
    search, asked = moyopy.MoyoDataset, []

    def reluctant(cell, symprec, **options):
        asked.append(symprec)
        if symprec > 0.07:
            raise ValueError("Primitive symmetry search failed")
        return search(cell, symprec=symprec, **options)

    monkeypatch.setattr(moyopy, "MoyoDataset", reluctant)
    np.testing.assert_allclose(GeometryFeatures().fit_transform([SALT]), expected)
    assert asked == pytest.approx([0.1, 0.08, 0.06])
    with pytest.raises(CrystalError, match="row 0: .* at symprec=0.4 .Primitive symmetry search"):
        GeometryFeatures(symprec=0.4).fit_transform([SALT])
