import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import ExtraTreesRegressor

from sklearn_cloud.baselines import PhysicsTreesRegressor
from sklearn_cloud.baselines.physics_trees import MeanOfForms
from sklearn_cloud.features import force_fields
from sklearn_cloud.features.elements import atomic_numbers
from sklearn_cloud.features.force_fields import Response, load_force_field


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
    assert len(names) == model.head_.estimators_["itself"].n_features_in_ == 149
    assert len(list(tmp_path.rglob("*.npz"))) == len(CELLS)
    # the computed number is the target: its ratio tells crystals that no training row is like
    far = [Structure(Lattice.cubic(8), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])]
    model = PhysicsTreesRegressor(reference="pressure", **parameters).fit(CELLS, VOLUMES)
    guesses = [125.0, 125.0, 512.0]  # itself, logarithm, ratio
    np.testing.assert_allclose(model.predict(far), np.mean(guesses), rtol=1e-6)


def test_crystal_that_is_not_computed_is_predicted(stand_in):
    unknown = [Structure(Lattice.cubic(4), ["Cm", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])]
    model = PhysicsTreesRegressor(
        properties=["energy"], reference="pressure", n_estimators=5, device="cpu"
    )
    with pytest.warns(UserWarning, match="1 of 25 crystals"):
        model.fit([*CELLS, *unknown], [*VOLUMES, 64.0])
    with pytest.warns(UserWarning, match=r"rows \[1\]"):
        predicted = model.predict([CELLS[0], *unknown])
    assert np.isfinite(predicted).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"reference": "bulk modulus (Voigt)"},
            "reference='bulk modulus .* is not one of .*pressure",
        ),
        ({"scale": "ln"}, "scale"),
        ({"min_samples_leaf": 0}, "min_samples_leaf"),
        ({"properties": ["heat"]}, "properties"),
    ],
)
def test_bad_parameters(stand_in, parameters, message):
    parameters = {"properties": ["energy"], "device": "cpu", **parameters}
    with pytest.raises(ValueError, match=message):
        PhysicsTreesRegressor(**parameters).fit(CELLS, VOLUMES)


X = np.column_stack([np.linspace(1, 3, 20), np.linspace(1, 3, 20) ** 2])


def forms(y, **parameters):
    model = MeanOfForms(ExtraTreesRegressor(10, random_state=0), **parameters)
    return sorted(model.fit(X, np.asarray(y)).estimators_)


def test_forms_of_the_target():
    assert forms(X[:, 0]) == ["itself", "log"]
    assert forms(X[:, 0] - 2) == ["itself"]
    assert forms(X[:, 0], reference=-1) == ["itself", "log", "ratio"]
    assert forms(X[:, 0], reference=-1, scale="log10") == ["itself", "ratio"]


def test_mean_of_forms():
    y = 2 * X[:, 1]
    flat = DummyRegressor()  # the mean
    model = MeanOfForms(flat, reference=1).fit(X, y)
    expected = (y.mean() + 10 ** np.log10(y).mean() + y) / 3
    np.testing.assert_allclose(model.predict(X), expected)
    logarithm = MeanOfForms(flat, reference=1, scale="log10").fit(X, np.log10(y))
    expected = (np.log10(y).mean() + np.log10(y)) / 2
    np.testing.assert_allclose(logarithm.predict(X), expected)
    with pytest.raises(ValueError, match="needs targets above 0"):
        MeanOfForms(flat, reference=1).fit(X, y - 3)


def test_rows_without_reference():
    trees = ExtraTreesRegressor(10, random_state=0)
    y = 2 * X[:, 1]
    missing = X.copy()
    missing[3, 1], missing[4, 1] = np.nan, 0.0
    model = MeanOfForms(trees, reference=1).fit(missing, y)
    predicted = model.predict(missing)
    np.testing.assert_allclose(predicted, y, rtol=1e-6)
    weights = np.ones(len(y))
    weights[10] = 0
    wrong = y.copy()
    wrong[10] = 1e4
    weighted = MeanOfForms(trees, reference=1).fit(missing, wrong, weights).predict(missing)
    assert weighted.max() < 20
