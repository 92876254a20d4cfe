import numpy as np
import pytest

from sklearn_cloud.predictors import energy_above_hull, load_predictor, loading
from sklearn_cloud.predictors.predictor_folder import write_predictor


def test_energy_above_the_phases_of_the_user(crystals, tiny, tmp_path, monkeypatch):
    ensemble, card, _ = tiny[1]["bulk_modulus"]
    card = {**card, "name": "formation_energy", "unit": "eV/atom", "transform": None}
    write_predictor(ensemble, card, tmp_path / "formation_energy")
    monkeypatch.setattr(loading, "DATA", tmp_path)
    some = crystals[0][:2]
    phases = [s.composition.reduced_formula for s in some]
    found = energy_above_hull(some, phases, [-1.0, -2.0])
    predictor = load_predictor("formation_energy")
    energies = predictor.predict(some)
    bounds = predictor.predict_interval(some)
    np.testing.assert_allclose(found["value"], energies + [1.0, 2.0])
    np.testing.assert_allclose(found[["lower", "upper"]], bounds + [[1.0], [2.0]])
    with pytest.raises(ValueError, match="expected one formation energy for each"):
        energy_above_hull(some, phases, [-1.0])
