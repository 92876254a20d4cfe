import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from sklearn_cloud import SymmetryStringTransformer, symmetry_string
from sklearn_cloud.features import GeometryFeatures
from sklearn_cloud.symmetry import transformer as module


@pytest.fixture
def structures(crystals):
    return list(crystals.values())


def object_array(items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def test_strings_of_every_kind_of_collection(structures):
    expected = [symmetry_string(structure) for structure in structures]
    series = pd.Series(structures, index=range(10, 10 + len(structures)))
    for X in (structures, tuple(structures), object_array(structures), series, series.to_frame()):
        strings = SymmetryStringTransformer().fit_transform(X)
        assert strings.dtype == object
        assert strings.tolist() == expected


def test_parameters_reach_the_string(structures):
    options = {"parts": ("sites",), "sites": "orbits", "symprec": 0.01, "backend": "spglib"}
    strings = SymmetryStringTransformer(**options).transform(structures)
    assert strings.tolist() == [symmetry_string(s, **options) for s in structures]


def test_pandas_output(structures):
    transformer = SymmetryStringTransformer().set_output(transform="pandas")
    series = pd.Series(structures, index=list("pqrstu"))
    frame = transformer.fit_transform(series)
    assert frame.columns.tolist() == ["symmetry_string"]
    assert frame.index.tolist() == list("pqrstu")
    assert transformer.get_feature_names_out().tolist() == ["symmetry_string"]


@pytest.mark.parametrize("engine", ["loky", "threading"])
def test_workers_give_the_same_strings(engine, structures):
    expected = SymmetryStringTransformer().transform(structures)
    many = structures * 30
    with joblib.parallel_config(backend=engine):
        found = SymmetryStringTransformer(n_jobs=2).transform(many)
    assert found.tolist() == expected.tolist() * 30


def test_repeated_crystals_are_searched_once(structures, monkeypatch):
    searched = []
    compose = module.compose_strings
    monkeypatch.setattr(
        module, "compose_strings", lambda c, **o: searched.extend(c) or compose(c, **o)
    )
    copies = [structure.copy() for structure in structures]
    SymmetryStringTransformer().transform(structures + copies)
    assert len(searched) == len(structures)


def test_clone_and_pipeline(structures):
    transformer = SymmetryStringTransformer(parts=["sites"], symprec=0.05)
    assert clone(transformer).get_params() == transformer.get_params()
    pipeline = make_pipeline(transformer, FunctionTransformer())
    assert pipeline.fit_transform(structures).tolist() == transformer.transform(structures).tolist()


def test_bad_row_is_named(structures):
    with pytest.raises(TypeError, match="row 2: expected a crystal .* got None"):
        SymmetryStringTransformer().transform([*structures[:2], None, *structures[2:]])
    with pytest.raises(ValueError, match="row 1: the formula 'Qq' contains 'Qq'"):
        SymmetryStringTransformer().transform(["NaCl", "Qq"])


def test_rows_without_symmetry_are_named(structures, monkeypatch):
    def fail(crystals, **options):
        return [ValueError("no space group") for _ in crystals]

    monkeypatch.setattr(module, "compose_strings", fail)
    with pytest.raises(ValueError, match="row 0: no space group"):
        SymmetryStringTransformer().transform(structures)


def test_bad_rows_are_passed_over_on_request(structures):
    X = [structures[0], None, structures[1], "Qq"]
    with pytest.warns(UserWarning, match=r"2 of 4 rows .* rows \[1, 3\]"):
        strings = SymmetryStringTransformer(on_error="warn").transform(X)
    assert strings[1] is None and strings[3] is None
    assert strings[0] == symmetry_string(structures[0])
    assert strings[2] == symmetry_string(structures[1])


def test_what_is_no_collection(structures):
    transformer = SymmetryStringTransformer()
    with pytest.raises(TypeError, match="pass a list, .X. for one crystal"):
        transformer.transform(structures[0])
    with pytest.raises(TypeError, match="got a single str"):
        transformer.transform("NaCl")
    with pytest.raises(TypeError, match="got a single NoneType"):
        transformer.fit(None)
    with pytest.raises(ValueError, match="X is empty"):
        transformer.fit([])
    with pytest.raises(ValueError, match="got shape"):
        transformer.transform(np.asarray([structures[0], structures[0]]))


@pytest.mark.parametrize(
    "parameters",
    [
        {"parts": ["lattice"]},
        {"sites": "all"},
        {"symprec": -1},
        {"backend": "other"},
        {"on_error": "ignore"},
        {"n_jobs": 1.5},
    ],
)
def test_parameters_are_checked_by_fit_alone(parameters, structures):
    transformer = SymmetryStringTransformer(**parameters)
    with pytest.raises(ValueError, match=next(iter(parameters))):
        transformer.fit(structures)


def test_progress_bar(structures, capfd):
    SymmetryStringTransformer().transform(structures)
    assert capfd.readouterr().err == ""
    SymmetryStringTransformer(verbose=1).transform(structures)
    assert "crystal" in capfd.readouterr().err


def test_geometry_next_to_the_strings(crystals):
    structures = list(crystals.values())
    plain = SymmetryStringTransformer().fit_transform(structures)
    transformer = SymmetryStringTransformer(numbers="geometry").set_output(transform="pandas")
    table = transformer.fit_transform(structures)
    assert table["symmetry_string"].tolist() == plain.tolist()
    assert table.shape == (len(structures), 14)
    features = GeometryFeatures().set_output(transform="pandas").fit_transform(structures)
    numbers = np.exp(table.drop(columns="symmetry_string").astype(float))
    for name, expected in {
        "log volume per site": features["volume per site"],
        "log density": features["density"],
        "log sites": features["sites"],
        "log c/a": features["c/a"],
        "log mean distance": features["mean neighbour distance"],
        "log orbits": features["orbits"],
        "log Wyckoff positions": features["Wyckoff positions"],
        "cos beta": np.exp(np.cos(np.radians(features["beta"]))),
    }.items():
        np.testing.assert_allclose(numbers[name], expected, rtol=1e-6, err_msg=name)


def test_numbers_on_bonds(crystals):
    from sklearn_cloud.features import BondFeatures

    transformer = SymmetryStringTransformer(numbers="bonds").set_output(transform="pandas")
    table = transformer.fit_transform([crystals["rutile"]])
    geometry = SymmetryStringTransformer(numbers="geometry").fit_transform([crystals["rutile"]])
    assert table.shape == (1, 44)
    assert table.iloc[:, :14].to_numpy().tolist() == geometry.tolist()
    bonds = BondFeatures().set_output(transform="pandas").fit_transform([crystals["rutile"]])
    assert table.iloc[0, 14:].tolist() == bonds[table.columns[14:]].iloc[0].tolist()


@pytest.mark.parametrize("numbers", ["geometry", "bonds"])
def test_numbers_do_not_depend_on_the_description(crystals, numbers):
    transformer = SymmetryStringTransformer(numbers=numbers)
    structure = crystals["rutile"]
    first, doubled = transformer.fit_transform([structure, structure.copy() * (1, 1, 2)])
    assert first[0] == doubled[0]
    np.testing.assert_allclose(first[1:].astype(float), doubled[1:].astype(float), atol=1e-6)


def test_geometry_needs_a_structure(crystals):
    transformer = SymmetryStringTransformer(numbers="geometry")
    with pytest.raises(ValueError, match="row 0: a composition has no geometry.*numbers=None"):
        transformer.fit_transform(["NaCl"])
    with pytest.raises(ValueError, match="numbers must be None or one of"):
        SymmetryStringTransformer(numbers="magpie").fit(["NaCl"])
    with pytest.warns(UserWarning, match="1 of 2 rows cannot be used"):
        rows = transformer.set_params(on_error="warn").transform([crystals["rutile"], "NaCl"])
    assert rows[1, 0] is None and np.isnan(rows[1, 1:].astype(float)).all()


def test_tags_say_that_the_dtype_of_the_input_is_not_kept():
    assert get_tags(SymmetryStringTransformer()).transformer_tags.preserves_dtype == []
