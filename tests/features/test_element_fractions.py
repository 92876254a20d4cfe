import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone

from sklearn_cloud.baselines import ElementFractions


def test_fractions_of_structures_and_formulas():
    rutile = Structure(
        Lattice.tetragonal(4.594, 2.959),
        ["Ti", "Ti", "O", "O", "O", "O"],
        [[0, 0, 0], [0.5] * 3, [0.3, 0.3, 0], [0.7, 0.7, 0], [0.2, 0.8, 0.5], [0.8, 0.2, 0.5]],
    )
    transformer = ElementFractions()
    fractions = transformer.fit_transform([rutile, "TiO2"])
    np.testing.assert_allclose(fractions[0], fractions[1])
    names = transformer.get_feature_names_out().tolist()
    assert fractions[0, names.index("O")] == pytest.approx(2 / 3)
    assert fractions[0, names.index("Ti")] == pytest.approx(1 / 3)
    assert np.count_nonzero(fractions[0]) == 2


def test_pandas_output_and_clone():
    transformer = clone(ElementFractions()).set_output(transform="pandas")
    frame = transformer.fit_transform(["NaCl"])
    assert frame.loc[0, "Na"] == 0.5


@pytest.mark.parametrize("item, error", [(None, TypeError), ("Qq", ValueError)])
def test_bad_row_is_named(item, error):
    with pytest.raises(error, match="row 1: "):
        ElementFractions().fit_transform(["NaCl", item])
