"""Numbers that describe crystals, and the models on them."""

import builtins
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline

from sklearn_cloud import baselines
from sklearn_cloud.crystals.neighbours import nearest_distances
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.features.tessellation import tessellate

CAESIUM_CHLORIDE = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
RUTILE = Structure(
    Lattice.tetragonal(4.594, 2.959),
    ["Ti", "Ti", "O", "O", "O", "O"],
    [[0, 0, 0], [0.5] * 3, [0.3, 0.3, 0], [0.7, 0.7, 0], [0.2, 0.8, 0.5], [0.8, 0.2, 0.5]],
)
PEROVSKITE = Structure(
    Lattice.from_parameters(5.4, 5.5, 7.7, 88, 91, 93),
    ["Ca", "Ca", "Ti", "Ti", "O", "O", "O"],
    [
        [0.02, 0.01, 0.25],
        [0.51, 0.48, 0.73],
        [0.5, 0.0, 0.02],
        [0.0, 0.52, 0.49],
        [0.1, 0.46, 0.25],
        [0.7, 0.3, 0.05],
        [0.2, 0.2, 0.51],
    ],
)
LAYER = Structure(
    Lattice.hexagonal(3.18, 25.0),
    ["Mo", "S", "S"],
    [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5625], [2 / 3, 1 / 3, 0.4375]],
)
ATOM = Structure(Lattice.cubic(30), ["Ar"], [[0.2, 0.3, 0.4]])
ALLOY = Structure(Lattice.cubic(2.9), [{"Fe": 0.5, "Co": 0.5}], [[0, 0, 0]])
CRYSTALS = [CAESIUM_CHLORIDE, RUTILE, PEROVSKITE, LAYER, ATOM]
TRANSFORMERS = ["MagpieFeatures", "GeometryFeatures", "VoronoiFeatures", "SpaceGroupFractions"]
NEED_MATMINER = ["VoronoiFeatures"]


def features_of(name, **params):
    if name in NEED_MATMINER:
        pytest.importorskip("matminer")
    return getattr(baselines, name)(**params)


@pytest.fixture(params=TRANSFORMERS)
def features(request):
    return features_of(request.param)


def test_table_and_names(features):
    table = features.fit_transform(CRYSTALS)
    names = features.get_feature_names_out()
    assert table.dtype == np.float64
    assert table.shape == (len(CRYSTALS), len(names))
    assert len(set(names)) == len(names)
    assert np.isfinite(table).all()
    frame = clone(features).set_output(transform="pandas").fit_transform(CRYSTALS)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == names.tolist()


def test_workers_change_nothing(features):
    many = [
        Structure(Lattice.cubic(3 + size / 40), [cation, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        for size, cation in enumerate("Li Na K Rb Cs Cu Ag Tl".split() * 5)
    ]
    table = features.fit_transform(many)
    assert (features.set_params(n_jobs=2).fit_transform(many) == table).all()


def test_identical_crystals_are_described_once(features, monkeypatch):
    described = []
    describe = type(features)._describe
    monkeypatch.setattr(
        type(features), "_describe", lambda self, c: described.append(c) or describe(self, c)
    )
    features.fit_transform([RUTILE, CAESIUM_CHLORIDE, RUTILE.copy()])
    assert len(described) == 2


@pytest.mark.parametrize("name", TRANSFORMERS)
@pytest.mark.parametrize("item, error", [(None, TypeError), ("Qq", ValueError)])
def test_bad_row_is_named(name, item, error):
    with pytest.raises(error, match="row 1: "):
        features_of(name).fit_transform([RUTILE, item])


@pytest.mark.parametrize("name", ["GeometryFeatures", "VoronoiFeatures", "SpaceGroupFractions"])
def test_formula_where_a_structure_is_needed(name):
    with pytest.raises(
        ValueError, match=f"row 1: {name} needs a crystal structure, got only the composition"
    ):
        features_of(name).fit_transform([RUTILE, "NaCl"])


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_parameters_are_checked(name):
    with pytest.raises(ValueError, match="n_jobs"):
        features_of(name, n_jobs="many").fit(CRYSTALS)
    if "symprec" in features_of(name).get_params():
        with pytest.raises(ValueError, match="symprec"):
            features_of(name, symprec=-1.0).fit(CRYSTALS)


@pytest.mark.parametrize("name", ["GeometryFeatures", "VoronoiFeatures", "SpaceGroupFractions"])
def test_cell_and_origin_leave_no_trace(name):
    features = features_of(name)
    for structure in (RUTILE, PEROVSKITE):
        other = structure.copy()
        other.translate_sites(range(len(other)), [0.13, 0.41, 0.27])
        other.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
        first, second = features.fit_transform([structure, other])
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-5)


# --- Magpie


@pytest.mark.parametrize("formula", ["NaCl", "SiO2", "Fe3O4", "LiFePO4", "H2O", "UO2", "Og", "Cu"])
def test_magpie_statistics_are_those_of_matminer(formula):
    from pymatgen.core import Composition

    composition = pytest.importorskip("matminer.featurizers.composition")
    expected = composition.ElementProperty.from_preset("magpie").featurize(Composition(formula))
    (found,) = features_of("MagpieFeatures").fit_transform([formula])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-9)


def test_magpie_names_and_table_are_those_of_matminer():
    from pymatgen.core import Element

    from sklearn_cloud.crystals.crystal import ELEMENTS
    from sklearn_cloud.features.magpie import magpie_properties, magpie_table

    composition = pytest.importorskip("matminer.featurizers.composition")
    preset = composition.ElementProperty.from_preset("magpie")
    names = features_of("MagpieFeatures").get_feature_names_out()
    assert names.tolist() == preset.feature_labels()
    expected = [
        [preset.data_source.get_elemental_property(Element(e), name) for name in preset.features]
        for e in ELEMENTS
    ]
    assert magpie_properties() == preset.features
    np.testing.assert_array_equal(magpie_table(), expected)


def test_magpie_looks_at_the_composition_alone():
    table = features_of("MagpieFeatures").fit_transform([RUTILE, "TiO2", "Ti4O8", ALLOY, "FeCo"])
    assert (table[0] == table[1]).all() and (table[1] == table[2]).all()
    assert (table[3] == table[4]).all()


@pytest.mark.parametrize("name", NEED_MATMINER)
def test_missing_matminer_is_explained(name, monkeypatch):
    from sklearn_cloud.features import voronoi

    voronoi._ward_featurizers.cache_clear()
    for module in [module for module in sys.modules if module.split(".")[0] == "matminer"]:
        monkeypatch.delitem(sys.modules, module)
    real_import = builtins.__import__

    def no_matminer(module, *args, **kwargs):
        if module.split(".")[0] == "matminer":
            raise ModuleNotFoundError("No module named 'matminer'", name="matminer")
        return real_import(module, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_matminer)
    monkeypatch.setattr("importlib.import_module", no_matminer)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[baselines\]'"):
        getattr(baselines, name)().fit(CRYSTALS)


# --- geometry


def test_geometry_of_caesium_chloride():
    features = baselines.GeometryFeatures().set_output(transform="pandas")
    row = features.fit_transform([CAESIUM_CHLORIDE]).loc[0].to_dict()
    distance = 4.12 * np.sqrt(3) / 2
    assert row == pytest.approx(
        {
            "space group": 221,
            "volume per site": 4.12**3 / 2,
            "density": (132.905 + 35.453) * 1.66053906660 / 4.12**3,
            "sites": 2,
            "b/a": 1,
            "c/a": 1,
            "alpha": 90,
            "beta": 90,
            "gamma": 90,
            "shortest neighbour distance": distance,
            "mean neighbour distance": distance,
            "longest neighbour distance": distance,
            "orbits": 2,
            "Wyckoff positions": 2,
        },
        rel=1e-4,
    )


def test_neighbour_distances_differ_from_site_to_site():
    distances = nearest_distances(read_crystal(LAYER))
    bond = np.hypot(3.18 / np.sqrt(3), 0.0625 * 25)
    np.testing.assert_allclose(distances, [bond] * 3)
    far = Structure(Lattice.cubic(40), ["H", "H", "Ar"], [[0, 0, 0], [0.02, 0, 0], [0.5] * 3])
    np.testing.assert_allclose(
        nearest_distances(read_crystal(far)), [0.8, 0.8, 40 * np.sqrt(0.48**2 + 0.5)], rtol=1e-6
    )


def test_isolated_atom_sees_its_own_image():
    assert nearest_distances(read_crystal(ATOM)) == pytest.approx([30.0])


# --- space group


def test_space_group_is_one_hot():
    features = baselines.SpaceGroupFractions()
    table = features.fit_transform([CAESIUM_CHLORIDE, RUTILE, ALLOY])
    names = features.get_feature_names_out()
    held = [dict(zip(names[row > 0], row[row > 0])) for row in table]
    assert held == [
        {"Cs": 0.5, "Cl": 0.5, "space group 221": 1.0},
        {"Ti": pytest.approx(1 / 3), "O": pytest.approx(2 / 3), "space group 136": 1.0},
        {"Fe": 0.5, "Co": 0.5, "space group 221": 1.0},
    ]


# --- Voronoi


@pytest.mark.parametrize("structure", [*CRYSTALS, ALLOY], ids=lambda s: s.composition.formula)
def test_voronoi_cells_fill_space(structure):
    crystal = read_crystal(structure)
    faces = tessellate(crystal)
    # a pyramid from the site to each face
    assert (faces.area * faces.distance / 6).sum() == pytest.approx(structure.volume, rel=1e-9)
    starts = crystal.positions % 1.0
    vectors = (starts[faces.neighbor] + faces.image - starts[faces.center]) @ crystal.lattice
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), faces.distance)


def test_voronoi_cell_of_a_simple_cubic_crystal():
    faces = tessellate(read_crystal(Structure(Lattice.cubic(3.0), ["Po"], [[0.3, 0.1, 0.9]])))
    large = faces.area > 1e-6
    np.testing.assert_allclose(faces.area[large], [9.0] * 6)
    np.testing.assert_allclose(faces.distance[large], [3.0] * 6)


@pytest.mark.parametrize(
    "structure", [CAESIUM_CHLORIDE, RUTILE, PEROVSKITE], ids=lambda s: s.composition.formula
)
def test_voronoi_features_are_those_of_matminer(structure):
    structural = pytest.importorskip("matminer.featurizers.structure")
    composition = pytest.importorskip("matminer.featurizers.composition")
    featurizers = [
        structural.SiteStatsFingerprint.from_preset("CoordinationNumber_ward-prb-2017"),
        structural.StructuralHeterogeneity(),
        structural.ChemicalOrdering(),
        structural.MaximumPackingEfficiency(),
        structural.SiteStatsFingerprint.from_preset("LocalPropertyDifference_ward-prb-2017"),
    ]
    expected = [number for f in featurizers for number in f.featurize(structure)]
    ward = (
        composition.ElementProperty.from_preset("magpie"),
        composition.Stoichiometry(),
        composition.ValenceOrbital(),
        composition.IonProperty(fast=True),
    )
    expected += [number for f in ward for number in f.featurize(structure.composition)]
    (found,) = features_of("VoronoiFeatures").fit_transform([structure])
    np.testing.assert_allclose(found, np.array(expected, dtype=float), rtol=1e-7, atol=1e-7)


def test_disordered_site_has_no_voronoi_features():
    with pytest.raises(ValueError, match=r"row 1: a site is disordered \(Co 0.5, Fe 0.5\)"):
        features_of("VoronoiFeatures").fit_transform([RUTILE, ALLOY])


# --- regressors


def space_group_data():
    structures = [CAESIUM_CHLORIDE, RUTILE, PEROVSKITE, LAYER] * 5
    return structures, np.arange(20.0)


def test_regressor_is_its_features_and_its_head():
    structures, y = space_group_data()
    model = baselines.SpaceGroupForestRegressor(n_estimators=20, random_state=3)
    by_hand = make_pipeline(
        baselines.SpaceGroupFractions(), RandomForestRegressor(20, random_state=3)
    )
    expected = by_hand.fit(structures, y).predict(structures)
    np.testing.assert_allclose(model.fit(structures, y).predict(structures), expected)
    names = model.features_.get_feature_names_out()
    assert len(model.head_.feature_importances_) == len(names)


def test_number_of_workers_changes_no_prediction():
    structures, y = space_group_data()
    model = baselines.SpaceGroupForestRegressor(n_estimators=20, random_state=0)
    expected = model.fit(structures, y).predict(structures)
    parallel = clone(model).set_params(n_jobs=2).fit(structures, y)
    # threads add up the trees in the order in which they come: the last digit may differ
    np.testing.assert_allclose(parallel.predict(structures), expected, rtol=1e-12)
    with joblib.parallel_config(n_jobs=2):
        found = clone(model).fit(structures, y).predict(structures)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_workers_of_the_context_grow_the_trees(monkeypatch):
    seen = []
    fit = RandomForestRegressor.fit

    def watch(self, *args, **kwargs):
        seen.append(joblib.Parallel().n_jobs)
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(RandomForestRegressor, "fit", watch)
    model = baselines.SpaceGroupForestRegressor(n_estimators=2)
    with joblib.parallel_config("threading", n_jobs=2):
        model.fit(*space_group_data())
        model.set_params(n_jobs=1).fit(*space_group_data())
    assert seen == [2, 1]


def test_column_of_targets_stays_a_column():
    structures, y = space_group_data()
    model = baselines.SpaceGroupForestRegressor(n_estimators=5, random_state=0)
    flat = model.fit(structures, y).predict(structures)
    column = model.fit(structures, y[:, None]).predict(structures)
    np.testing.assert_allclose(column, flat[:, None])


def test_failed_fit_leaves_no_model_behind():
    structures, y = space_group_data()
    model = baselines.SpaceGroupForestRegressor(n_estimators=5).fit(structures, y)
    with pytest.raises(ValueError, match="row 1: "):
        model.fit([RUTILE, "NaCl"], [0.0, 1.0])
    with pytest.raises(ValueError, match="not fitted"):
        model.predict(structures)


@pytest.mark.parametrize(
    "name, params",
    [
        ("SpaceGroupForestRegressor", {"n_estimators": 0}),
        ("SpaceGroupForestRegressor", {"n_jobs": "many"}),
        ("SpaceGroupForestRegressor", {"symprec": 0.0}),
        ("SpaceGroupForestRegressor", {"random_state": "seed"}),
        ("MagpieBoostingRegressor", {"geometry": "yes"}),
        ("MagpieBoostingRegressor", {"min_samples_leaf": 0}),
    ],
)
def test_bad_parameters_are_named(name, params):
    pytest.importorskip("matminer")
    model = getattr(baselines, name)(**params)
    with pytest.raises(ValueError, match=next(iter(params))):
        model.fit(*space_group_data())


def test_boosting_on_the_composition_alone_takes_formulas():
    pytest.importorskip("matminer")
    formulas, y = ["NaCl", "KCl", "NaBr", "KBr"] * 5, np.arange(20.0)
    model = baselines.MagpieBoostingRegressor(n_estimators=5, geometry=False, min_samples_leaf=1)
    assert model.fit(formulas, y).predict(["Na2Cl2"]) == model.predict(["NaCl"])
    with pytest.raises(
        ValueError, match="row 0: .* needs a crystal structure, got only the composition"
    ):
        model.set_params(geometry=True).fit(formulas, y)


def test_progress_bar_on_request(capsys):
    baselines.SpaceGroupFractions().fit_transform([RUTILE])
    assert capsys.readouterr().err == ""
    baselines.SpaceGroupFractions(verbose=1).fit_transform([RUTILE])
    assert "SpaceGroupFractions" in capsys.readouterr().err
