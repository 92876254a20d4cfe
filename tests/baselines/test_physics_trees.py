import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.baselines import PhysicsTreesRegressor
from sklearn_cloud.features import force_fields
from sklearn_cloud.features.elements import atomic_numbers
from sklearn_cloud.features.force_fields import load_force_field
from sklearn_cloud.features.frames import Response


class Volumes:
    """Stands in for a potential: the pressure is the volume of the cell in GPa."""

    package, extra, tag = "volumes>=1", "chgnet", "volumes-1"

    def __init__(self, device):
        self.elements = {e: n for e, n in atomic_numbers().items() if n <= 94}

    def compute(self, frames):
        return [
            Response(
                -1.0,
                np.zeros((len(frame.numbers), 3)),
                -np.eye(3) * np.linalg.det(frame.lattice) / 160.21766208,
            )
            for frame in frames
        ]


@pytest.fixture
def stand_in(monkeypatch):
    pytest.importorskip("matminer")
    load_force_field.cache_clear()
    monkeypatch.setitem(force_fields.FORCE_FIELDS, "chgnet", Volumes)
    yield
    load_force_field.cache_clear()


CELLS = [
    Structure(Lattice.cubic(a), names.split(), [[0, 0, 0], [0.5, 0.5, 0.5]])
    for names in ("Cs Cl", "Na Cl", "Ni Al", "K Br")
    for a in np.linspace(3, 5, 6)
]
VOLUMES = np.array([cell.volume for cell in CELLS])


def test_trees_on_what_a_potential_computes(stand_in, tmp_path):
    parameters = {"properties": ["energy"], "n_estimators": 20, "random_state": 0, "device": "cpu"}
    model = PhysicsTreesRegressor("chgnet", cache=tmp_path, **parameters).fit(CELLS, VOLUMES)
    np.testing.assert_allclose(model.predict(CELLS), VOLUMES)
    names = model.features_.get_feature_names_out()
    assert names[-3:].tolist() == ["chgnet energy", "chgnet largest force", "chgnet pressure"]
    assert len(names) == model.head_.itself_.n_features_in_ == 149
    assert len(list(tmp_path.rglob("*.npz"))) == len(CELLS)
    # the computed number is the target: its ratio tells crystals that no training row is like
    far = [Structure(Lattice.cubic(8), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])]
    np.testing.assert_allclose(model.predict(far), 125)
    model = PhysicsTreesRegressor(references=["pressure"], **parameters).fit(CELLS, VOLUMES)
    np.testing.assert_allclose(model.predict(far), (125 + 512) / 2, rtol=1e-4)


def test_crystal_that_is_not_computed_is_predicted(stand_in):
    unknown = [Structure(Lattice.cubic(4), ["Cm", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])]
    model = PhysicsTreesRegressor(
        properties=["energy"], references=["pressure"], n_estimators=5, device="cpu"
    )
    with pytest.warns(UserWarning, match="1 of 25 crystals"):
        model.fit([*CELLS, *unknown], [*VOLUMES, 64.0])
    with pytest.warns(UserWarning, match=r"rows \[1\]"):
        predicted = model.predict([CELLS[0], *unknown])
    assert np.isfinite(predicted).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"references": ["bulk modulus (Voigt)"]}, "references=.* must be a list .*pressure"),
        ({"references": "pressure"}, "references='pressure' must be a list"),
        ({"scale": "ln"}, "scale"),
        ({"min_samples_leaf": 0}, "min_samples_leaf"),
        ({"properties": ["heat"]}, "properties"),
    ],
)
def test_bad_parameters(stand_in, parameters, message):
    parameters = {"properties": ["energy"], "device": "cpu", **parameters}
    with pytest.raises(ValueError, match=message):
        PhysicsTreesRegressor(**parameters).fit(CELLS, VOLUMES)
