"""Cross-validators that leave out an element or a space group."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CrystalError
from sklearn_cloud.datasets import load_example
from sklearn_cloud.evaluation import LeaveOneElementOut, LeaveOneSpaceGroupOut
from sklearn_cloud.features import ElementFractions
from sklearn_cloud.symmetry import parse_string, symmetry_string

FORMULAS = ["NaCl", "NaBr", "KCl", "KBr", "NaCl"]


@pytest.fixture(scope="module")
def example():
    return load_example(return_X_y=True)


def test_every_crystal_with_the_element_is_a_test_row(example):
    crystals, _ = example
    splitter = LeaveOneElementOut(min_test=10)
    elements = splitter.left_out(crystals)
    folds = list(splitter.split(crystals))
    assert len(folds) == len(elements) == splitter.get_n_splits(crystals)
    for element, (train, test) in zip(elements, folds, strict=True):
        has = [element in {e.symbol for e in c.composition} for c in crystals]
        assert test.tolist() == np.flatnonzero(has).tolist()
        assert sorted([*train, *test]) == list(range(len(crystals)))
        assert len(test) >= 10


def test_every_crystal_of_the_space_group_is_a_test_row(example):
    crystals, _ = example
    splitter = LeaveOneSpaceGroupOut(min_test=20)
    numbers = np.array([parse_string(symmetry_string(c)).space_group for c in crystals])
    assert splitter.left_out(crystals) == [122, 216, 225]
    for number, (train, test) in zip(splitter.left_out(crystals), splitter.split(crystals)):
        assert (numbers[test] == number).all()
        assert number not in numbers[train]


def test_rare_and_ubiquitous_elements_have_no_fold():
    oxides = ["MgO", "CaO", "SrO", "BaO", "MgO2", "Mg2O"]
    assert LeaveOneElementOut(min_test=2, min_train=1).left_out(oxides) == ["Mg"]
    assert LeaveOneElementOut(min_test=1, min_train=4).left_out(oxides) == ["Ba", "Sr", "Ca"]


def test_cross_val_score_and_grid_search(example):
    crystals, band_gaps = example
    splitter = LeaveOneElementOut(min_test=25)
    model = make_pipeline(ElementFractions(), DummyRegressor(strategy="mean"))
    scores = cross_val_score(
        model, crystals, band_gaps, cv=splitter, scoring="neg_mean_absolute_error"
    )
    for score, (train, test) in zip(scores, splitter.split(crystals), strict=True):
        error = np.abs(band_gaps[test] - band_gaps[train].mean()).mean()
        assert score == pytest.approx(-error)
    grid = {"dummyregressor__strategy": ["mean", "median"]}
    search = GridSearchCV(model, grid, cv=splitter, scoring="neg_mean_absolute_error")
    search.fit(crystals, band_gaps)
    assert len(search.cv_results_["params"]) == 2
    assert search.n_splits_ == splitter.get_n_splits(crystals)


def test_groups_are_the_crystals_where_x_has_something_else(example):
    crystals, band_gaps = example
    splitter = LeaveOneElementOut(min_test=25)
    features = np.ones((len(crystals), 1))
    scores = cross_val_score(
        DummyRegressor(), features, band_gaps, groups=list(crystals), cv=splitter
    )
    assert len(scores) == splitter.get_n_splits(crystals)


def test_paths_and_formulas_are_read(tmp_path):
    crystals, _ = load_example(return_X_y=True)
    for number, crystal in enumerate(crystals[:6]):
        crystal.to(tmp_path / f"{number}.cif")
    paths = [str(tmp_path / f"{number}.cif") for number in range(6)]
    small = {"min_test": 1, "min_train": 1}
    assert LeaveOneElementOut(**small).left_out(paths) == LeaveOneElementOut(**small).left_out(
        crystals[:6]
    )
    assert LeaveOneElementOut(1, min_train=2).left_out(FORMULAS) == ["K", "Na", "Br", "Cl"]


def test_repr_and_parameters():
    splitter = LeaveOneSpaceGroupOut(7, symprec=0.01)
    assert repr(splitter) == (
        "LeaveOneSpaceGroupOut(min_test=7, min_train=5, n_jobs=None, symprec=0.01)"
    )
    assert repr(clone(splitter, safe=False)) == repr(splitter)


@pytest.mark.parametrize("splitter", [LeaveOneElementOut(), LeaveOneSpaceGroupOut()])
def test_no_crystals(splitter):
    with pytest.raises(ValueError, match="needs the crystals: pass them as X or as groups"):
        splitter.get_n_splits()


def test_no_element_with_enough_rows():
    with pytest.raises(ValueError, match=r"no element is in at least min_test=5 of the 5 rows"):
        next(LeaveOneElementOut().split(FORMULAS))
    with pytest.raises(ValueError, match=r"Na in 10, Cl in 10\). Pass more rows or smaller"):
        LeaveOneElementOut().left_out(["NaCl"] * 10)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
def test_invalid_numbers_of_rows(value):
    with pytest.raises(ValueError, match="min_test must be a positive integer"):
        LeaveOneElementOut(min_test=value).left_out(FORMULAS)


def test_formulas_have_no_space_group():
    with pytest.raises(CrystalError, match="row 1: LeaveOneSpaceGroupOut needs a crystal struct"):
        LeaveOneSpaceGroupOut().left_out([load_example().structures[0], "NaCl"])


def test_bad_rows_and_symprec():
    with pytest.raises(CrystalError, match="row 1"):
        LeaveOneElementOut().left_out(["NaCl", "Na0"])
    with pytest.raises(ValueError, match="symprec must be a positive distance"):
        LeaveOneSpaceGroupOut(symprec=-1).left_out(load_example().structures[:3])
