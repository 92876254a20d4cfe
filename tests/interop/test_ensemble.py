"""scikit-learn's bagging as an ensemble of networks: mean, spread, one symmetry search."""

import numpy as np
import pytest
from sklearn.ensemble import BaggingRegressor
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.encoder import EncoderConfig

FORMULAS = ["NaCl", "KCl", "MgO", "CaO", "ZnS", "Si", "GaAs", "LiF", "AgBr", "CdTe"] * 3
GAPS = np.array([8.5, 8.4, 7.8, 7.1, 3.6, 1.1, 1.4, 13.0, 2.7, 1.5] * 3)


@pytest.mark.parametrize("bootstrap", [False, True])
def test_members_and_their_spread(bootstrap, monkeypatch):
    searched = []
    transform = SymmetryStringTransformer.transform
    monkeypatch.setattr(
        SymmetryStringTransformer,
        "transform",
        lambda self, X: searched.append(len(X)) or transform(self, X),
    )
    regressor = CloudRegressor(
        EncoderConfig(n_layers=1, n_heads=2, width=16), max_epochs=3, learning_rate=1e-2
    )
    # Bagging takes tables, and strings as a table are one column.
    strings = SymmetryStringTransformer().set_output(transform="pandas")
    ensemble = make_pipeline(
        strings, BaggingRegressor(regressor, n_estimators=3, bootstrap=bootstrap, random_state=0)
    )
    ensemble.fit(FORMULAS, GAPS)
    assert searched == [30]
    members = ensemble[-1].estimators_
    assert len({member.random_state for member in members}) == 3
    table = ensemble[0].transform(FORMULAS[:10])
    each = np.array([member.predict(table) for member in members])
    np.testing.assert_allclose(ensemble.predict(FORMULAS[:10]), each.mean(axis=0))
    assert (each.std(axis=0) > 0).all()
    again = ensemble.fit(FORMULAS, GAPS)[-1].estimators_
    np.testing.assert_array_equal([member.predict(table) for member in again], each)
