import pickle
import sys

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_cloud.baselines import ElementFractions, PotentialEnergyRegressor, PotentialFeatures
from sklearn_cloud.features import potential_adapters

PACKAGES = {
    "chgnet": "chgnet",
    "sevennet": "sevenn",
    "sevennet-l3i5": "sevenn",
    "sevennet-mf-0": "sevenn",
}
CELL = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
WIDE = Structure(Lattice.cubic(4.6), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
ALONE = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])


class SumOfCell:
    """Stands in for a potential: size of the cell and number of sites; energies to be found."""

    package = "nothing"
    n_features = 2
    elements = {"Cs", "Cl", "Ar", "Na"}

    def __init__(self, device):
        self.device = device
        self.batches = []

    def compute(self, crystals):
        self.batches.append(len(crystals))
        vectors = np.array([[c.lattice[0, 0], len(c.kinds)] for c in crystals])
        return vectors, -vectors[:, 0] / 10


@pytest.fixture
def stand_in(monkeypatch):
    potential_adapters.load_potential.cache_clear()
    monkeypatch.setitem(potential_adapters.POTENTIALS, "chgnet", SumOfCell)
    yield potential_adapters.load_potential("chgnet", "cpu", None)
    potential_adapters.load_potential.cache_clear()


def test_rows_follow_the_crystals(stand_in):
    transformer = PotentialFeatures(batch_size=2, device="cpu")
    crystals = [ALONE, CELL * (2, 1, 1), CELL, WIDE, CELL]
    features = transformer.fit_transform(crystals)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features[:, 0], [30, 8.24, 4.12, 4.6, 4.12], rtol=1e-6)
    np.testing.assert_array_equal(features[:, 1], [1, 4, 2, 2, 2])
    assert stand_in.batches == [2, 2]  # equal crystals are computed once
    np.testing.assert_array_equal(transformer.transform(crystals[::-1]), features[::-1])


def test_scikit_learn_contract(stand_in):
    transformer = PotentialFeatures(batch_size=4, device="cpu")
    assert clone(transformer).get_params() == transformer.get_params()
    copy = pickle.loads(pickle.dumps(transformer.fit([CELL])))
    np.testing.assert_array_equal(copy.transform([CELL]), transformer.transform([CELL]))
    frame = transformer.set_output(transform="pandas").transform([CELL])
    assert list(frame.columns) == ["chgnet0", "chgnet1"]
    crystals = [Structure(Lattice.cubic(a), ["Na"], [[0, 0, 0]]) for a in np.linspace(3, 5, 10)]
    scores = cross_validate(
        make_pipeline(PotentialFeatures(device="cpu"), Ridge(1e-6)), crystals, np.linspace(3, 5, 10)
    )
    assert scores["test_score"].min() > 0.9


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (None, TypeError, "row 1: expected a crystal"),
        ("NaCl", ValueError, "row 1: a potential needs a crystal structure"),
        (
            Structure(Lattice.cubic(4), [{"Cs": 0.5, "Na": 0.5}], [[0, 0, 0]]),
            ValueError,
            "row 1: site 0 is disordered",
        ),
        (
            Structure(Lattice.cubic(4), ["Cl", {"Na": 0.5}], [[0, 0, 0], [0.5] * 3]),
            ValueError,
            "row 1: site 1 is disordered",
        ),
        (Structure(Lattice.cubic(4), ["Og"], [[0, 0, 0]]), ValueError, "row 1: site 0 contains Og"),
    ],
)
def test_bad_rows_are_named(stand_in, item, error, message):
    with pytest.raises(error, match=message):
        PotentialFeatures(device="cpu").fit_transform([CELL, item])


def test_bad_rows_are_nan_on_request(stand_in):
    transformer = PotentialFeatures(device="cpu", on_error="warn")
    with pytest.warns(UserWarning, match="2 of 4 rows .* their numbers are NaN: rows .0, 2."):
        features = transformer.fit_transform(["NaCl", CELL, None, ALONE])
    np.testing.assert_array_equal(np.isnan(features).all(axis=1), [True, False, True, False])
    np.testing.assert_array_equal(features[[1, 3]], transformer.transform([CELL, ALONE]))
    with pytest.warns(UserWarning, match="1 of 1 rows"):
        assert np.isnan(transformer.transform(["NaCl"])).all()


def test_energies(stand_in):
    transformer = PotentialFeatures(quantity="energy", device="cpu")
    np.testing.assert_allclose(transformer.fit_transform([CELL, ALONE]), [[-0.412], [-3.0]])
    assert transformer.get_feature_names_out().tolist() == ["chgnet_energy"]


def cells(*elements):
    """Two crystals, of different size, of each of the given compositions."""
    return [
        Structure(Lattice.cubic(a), names.split(), [[0, 0, 0], [0.5] * 3])
        for names in elements
        for a in (4, 5)
    ]


def test_energies_of_the_elements_are_learned(stand_in):
    crystals = cells("Cs Cl", "Na Cl", "Cs Na", "Cl Cl")
    references = {"Cs": -1.0, "Na": -2.0, "Cl": 3.0}
    target = [
        -c.lattice.a / 10 + np.mean([references[site.specie.symbol] for site in c])
        for c in crystals
    ]
    model = PotentialEnergyRegressor(device="cpu").fit(crystals, target)
    found = dict(zip(ElementFractions().get_feature_names_out(), model.head_.references_))
    assert {e: round(found[e], 4) for e in references} == references
    sodium = Structure(Lattice.cubic(6), ["Na"], [[0, 0, 0]])
    np.testing.assert_allclose(model.predict([sodium]), [-0.6 - 2.0], atol=1e-4)
    # a row without weight teaches nothing
    wrong = [*target, 1000.0]
    weights = [1.0] * len(target) + [0.0]
    again = PotentialEnergyRegressor(device="cpu").fit([*crystals, CELL], wrong, weights)
    np.testing.assert_allclose(again.predict(crystals), target, atol=1e-4)


def test_element_without_reference_is_warned_of(stand_in):
    model = PotentialEnergyRegressor(device="cpu").fit(cells("Cs Cl", "Cs Cs"), [1, 1, 2, 2])
    with pytest.warns(UserWarning, match=r"1 rows \(the first is row 2\) .*\(Ar\)"):
        guess = model.predict([CELL, CELL, ALONE])[2]
    weights = [1, 1, 1, 1, 0]
    again = PotentialEnergyRegressor(device="cpu")
    again.fit([*cells("Cs Cl", "Cs Cs"), ALONE], [1, 1, 2, 2, 5], weights)
    with pytest.warns(UserWarning, match=r"first is row 0\) .*\(Ar\)"):
        assert again.predict([ALONE]) == pytest.approx(guess)
    # caesium adds 2.45, and with 0.45 of chlorine 1.45 to Cs Cl
    assert guess == pytest.approx(-3.0 + (2.45 + 0.45) / 2, abs=1e-4)


@pytest.mark.parametrize(
    "parameters", [{"potential": "none"}, {"batch_size": 0}, {"quantity": "forces"}]
)
def test_bad_parameters(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        PotentialFeatures(**parameters).fit([CELL])


@pytest.mark.parametrize("name", PACKAGES)
def test_missing_package(name, monkeypatch):
    potential_adapters.load_potential.cache_clear()
    loaded = [module for module in sys.modules if module.startswith(f"{PACKAGES[name]}.")]
    for module in [PACKAGES[name], *loaded]:
        monkeypatch.setitem(sys.modules, module, None)
    extra = name.partition("-")[0]
    with pytest.raises(ImportError, match=rf"{PACKAGES[name]}>=.*sklearn-cloud\[{extra}\]"):
        PotentialFeatures(name).fit([CELL])


@pytest.fixture(params=PACKAGES)
def installed(request):
    pytest.importorskip(
        PACKAGES[request.param], reason="an extra: sklearn-cloud[chgnet] or [sevennet]"
    )
    potential_adapters.load_potential.cache_clear()
    return PotentialFeatures(request.param, device="cpu")


def test_features_of_installed_potentials(installed):
    other_order = Structure.from_sites(list(CELL)[::-1])
    features = installed.fit_transform([CELL, CELL * (2, 1, 1), other_order, WIDE, ALONE])
    assert features.shape == (5, len(installed.get_feature_names_out()))
    assert np.isfinite(features).all()
    np.testing.assert_allclose(features[1:3], features[[0, 0]], atol=1e-4)
    assert np.abs(features[3] - features[0]).max() > 1e-2
    # whoever shares the batch moves a row by rounding only
    np.testing.assert_allclose(installed.transform([WIDE])[0], features[3], atol=1e-4)


def test_energies_of_installed_potentials(installed):
    energies = installed.set_params(quantity="energy").fit_transform([CELL, CELL * (2, 1, 1), WIDE])
    # with and without the Materials Project's correction of 0.61 eV for each chlorine atom
    expected = {"chgnet": -3.55}.get(installed.potential, -3.25)
    assert energies[0, 0] == pytest.approx(expected, abs=0.05)
    assert energies[1, 0] == pytest.approx(energies[0, 0], abs=1e-4)
    assert energies[2, 0] > energies[0, 0]


def test_installed_potentials_are_quiet(installed, capfd, recwarn):
    installed.fit_transform([CELL, ALONE])
    captured = capfd.readouterr()
    assert captured.out == ""
    assert [w for w in recwarn if not issubclass(w.category, DeprecationWarning)] == []
