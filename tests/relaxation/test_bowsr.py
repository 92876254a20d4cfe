import pickle
import sys

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CrystalError
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.features import GeometryFeatures, PotentialFeatures
from sklearn_cloud.relaxation import BowsrRelaxer
from sklearn_cloud.relaxation.free_parameters import FreeParameters

pytest.importorskip("optuna", reason="an extra: sklearn-cloud[relaxation]")

CSCL = Structure(Lattice.cubic(4.4), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def rutile(a=4.75, c=2.85, x=0.32):
    sites = [[0, 0, 0], [x, x, 0]]
    return Structure.from_spacegroup("P4_2/mnm", Lattice.tetragonal(a, c), ["Ti", "O"], sites)


def wurtzite(u=0.38):
    sites = [[1 / 3, 2 / 3, 0], [1 / 3, 2 / 3, u]]
    lattice = Lattice.hexagonal(3.8, 6.2)
    return Structure.from_spacegroup("P6_3mc", lattice, ["Zn", "S"], sites)


class Springs(RegressorMixin, BaseEstimator):
    """Energy that is least where the cell has certain lengths, and the nearest atoms a distance."""

    def __init__(self, lengths=(4.0, 4.0, 4.0), distance=None, hole=None):
        self.lengths = lengths
        self.distance = distance
        self.hole = hole

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return np.array([self._energy(structure) for structure in X])

    def _energy(self, structure):
        if self.hole is not None and structure.lattice.a > self.hole:
            return np.nan
        energy = ((np.array(structure.lattice.abc) - self.lengths) ** 2).sum()
        if self.distance is not None:
            nearest = structure.distance_matrix[structure.distance_matrix > 0].min()
            energy += (nearest - self.distance) ** 2
        return energy


def relax(structure, objective, **parameters):
    relaxer = BowsrRelaxer(objective.fit([]), random_state=0, **{"n_trials": 20} | parameters)
    return relaxer.fit_transform([structure])[0]


@pytest.mark.parametrize(
    ("structure", "strains", "patterns"),
    [
        (CSCL, 1, 0),
        (CSCL * (2, 1, 1), 1, 0),
        (rutile(), 2, 1),
        (rutile().get_primitive_structure() * (1, 1, 2), 2, 1),
        (wurtzite(), 2, 1),  # two heights, but a shift along the axis changes nothing
        (Structure(Lattice.orthorhombic(3, 4, 5), ["Na"], [[0, 0, 0]]), 3, 0),
        (Structure(Lattice.monoclinic(3, 4, 5, 98), ["Na"], [[0, 0, 0]]), 4, 0),
        (
            Structure(
                Lattice.from_parameters(3, 4, 5, 80, 85, 95),
                ["Na", "K", "Cl"],
                [[0] * 3, [0.3, 0.4, 0.45], [0.6, 0.7, 0.2]],
            ),
            6,
            6,
        ),
    ],
)
def test_free_parameters(structure, strains, patterns):
    free = FreeParameters(read_crystal(structure), 0.01)
    assert (len(free.strains), len(free.displacements)) == (strains, patterns)
    np.testing.assert_allclose(np.abs(free.strains).max(axis=(1, 2)), 1)
    moved = free.apply(np.random.RandomState(0).uniform(-0.04, 0.04, strains + patterns))
    after = Structure(
        moved.lattice, [moved.species[kind][0][0] for kind in moved.kinds], moved.positions
    )
    assert after.get_space_group_info()[1] == structure.get_space_group_info()[1]
    assert abs(after.volume / structure.volume - 1) > 1e-3


def test_cell_is_found():
    relaxed = relax(CSCL, Springs((4.2, 4.2, 4.2)), n_trials=13)
    np.testing.assert_allclose(relaxed.lattice.abc, 4.2, atol=0.005)
    np.testing.assert_allclose(relaxed.lattice.angles, 90)
    np.testing.assert_allclose(relaxed.frac_coords, CSCL.frac_coords)
    assert relaxed.formula == CSCL.formula


@pytest.mark.slow
def test_cell_and_sites_are_found():
    start = rutile()
    relaxed = relax(start, Springs((4.6, 4.6, 2.95), distance=1.95), n_trials=40)
    np.testing.assert_allclose(relaxed.lattice.abc, (4.6, 4.6, 2.95), atol=0.06)
    distances = relaxed.distance_matrix
    assert distances[distances > 0].min() == pytest.approx(1.95, abs=0.06)
    assert relaxed.get_space_group_info()[1] == 136
    assert [site.specie for site in relaxed] == [site.specie for site in start]


def test_crystal_without_free_parameters_is_unchanged():
    relaxed = relax(CSCL, Springs(), max_strain=0)
    assert relaxed == CSCL
    few = {"n_trials": 4}
    assert relax(rutile(), Springs(distance=1.9), max_strain=0, **few).lattice == rutile().lattice
    fixed = relax(rutile(), Springs(), max_displacement=0, **few)
    np.testing.assert_allclose(fixed.frac_coords, rutile().frac_coords)


def test_nothing_better_is_unchanged():
    assert relax(CSCL, Springs((4.4, 4.4, 4.4)), n_trials=5) == CSCL
    assert relax(CSCL, Springs(), n_trials=1) == CSCL


def test_objective_that_is_nan():
    # in a part of the box: the search goes on elsewhere
    relaxed = relax(CSCL, Springs((4.2, 4.2, 4.2), hole=4.5), n_trials=14)
    np.testing.assert_allclose(relaxed.lattice.abc, 4.2, atol=0.01)
    relaxer = BowsrRelaxer(Springs(hole=4.35).fit([]), n_trials=5, random_state=0)
    with pytest.warns(UserWarning, match=r"not finite for 2 crystals .* rows \[0, 2\]"):
        relaxed = relaxer.fit_transform([CSCL, rutile(4.2, 2.8), CSCL])
    assert relaxed[0] == relaxed[2] == CSCL


def test_seeds():
    relaxer = BowsrRelaxer(Springs().fit([]), n_trials=8, random_state=3)
    first = relaxer.fit_transform([CSCL, rutile(), CSCL])
    again = clone(relaxer).set_params(objective=Springs().fit([])).fit_transform([rutile(), CSCL])
    assert first[0] == first[2] == again[1]
    assert first[1] == again[0]
    other = relaxer.set_params(random_state=4).transform([CSCL])[0]
    assert other != first[0]
    copy = pickle.loads(pickle.dumps(relaxer))
    assert copy.transform([CSCL])[0] == other


def test_inputs_are_not_changed():
    structure = rutile()
    relax(structure, Springs((4.6, 4.6, 2.95)), n_trials=5)
    assert structure == rutile()


def test_fitted_regressor_of_crystals():
    """A regressor of the package, frozen, survives the cloning of a pipeline."""
    from sklearn.linear_model import LinearRegression

    cells = [CSCL.copy().apply_strain(strain) for strain in np.linspace(-0.1, 0.1, 9)]
    volumes = [cell.volume for cell in cells]
    model = make_pipeline(GeometryFeatures(), LinearRegression()).fit(cells, volumes)
    relaxer = clone(BowsrRelaxer(FrozenEstimator(model), n_trials=8, random_state=0))
    relaxed = relaxer.fit_transform([CSCL])[0]
    assert relaxed.volume < 0.8 * CSCL.volume  # as small as the box allows
    with pytest.raises(NotFittedError, match="FrozenEstimator"):
        clone(BowsrRelaxer(Springs().fit([]))).fit([CSCL])


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (None, TypeError, "row 1: expected a crystal"),
        ("NaCl", CrystalError, "row 1: a relaxation needs a crystal structure"),
        (
            Structure(Lattice.cubic(4), [{"Cs": 0.5, "Na": 0.5}], [[0, 0, 0]]),
            CrystalError,
            "row 1: site 0 is disordered",
        ),
    ],
)
def test_bad_rows_are_named(item, error, message):
    with pytest.raises(error, match=message):
        BowsrRelaxer(Springs().fit([])).fit_transform([CSCL, item])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"objective": "none"}, ValueError, "objective='none' is not a potential"),
        ({"objective": 3}, TypeError, "objective must be"),
        ({"n_trials": 0}, ValueError, "n_trials"),
        ({"max_strain": 2.0}, ValueError, "max_strain"),
        ({"max_displacement": -1.0}, ValueError, "max_displacement"),
        ({"objective": "m3gnet", "weights": "missing"}, FileNotFoundError, "model.json"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        BowsrRelaxer(**parameters).fit([CSCL])


def test_missing_optuna(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[relaxation\]'"):
        BowsrRelaxer(Springs().fit([])).fit([CSCL])


def test_progress(capsys):
    BowsrRelaxer(Springs().fit([]), n_trials=2, verbose=1).fit_transform([CSCL])
    assert "1/1" in capsys.readouterr().err


def test_potential():
    pytest.importorskip("chgnet", reason="an extra: sklearn-cloud[chgnet]")
    relaxer = BowsrRelaxer("chgnet", n_trials=12, random_state=0, device="cpu")
    relaxed = relaxer.fit_transform([CSCL])[0]
    assert relaxed.lattice.a == pytest.approx(4.2, abs=0.06)
    energies = PotentialFeatures(quantity="energy", device="cpu").fit_transform([CSCL, relaxed])
    assert energies[1, 0] < energies[0, 0]
    with pytest.raises(CrystalError, match="contains Og, which the potential does not support"):
        relaxer.transform([Structure(Lattice.cubic(4), ["Og"], [[0, 0, 0]])])
