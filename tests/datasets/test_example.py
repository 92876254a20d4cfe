import numpy as np
import pytest
import spglib
from pymatgen.core import Composition, Structure

from sklearn_cloud.datasets import load_example
from sklearn_cloud.datasets.prototypes import PROTOTYPES, build_prototype

COLUMNS = (
    "formula prototype space_group a b c alpha beta gamma species coordinates band_gap source note"
).split()


@pytest.fixture(scope="module")
def example():
    return load_example()


@pytest.fixture(scope="module")
def rows(example):
    return list(zip(example.structures, example.frame.itertuples(index=False), strict=True))


def test_fields(example):
    n = len(example.frame)
    assert n >= 150
    assert example.structures.shape == example.target.shape == (n,)
    assert example.structures.dtype == object
    assert all(isinstance(s, Structure) for s in example.structures)
    assert example.target.dtype == np.float64
    assert example.target_names == ["band_gap"]
    assert example.unit == "eV"
    assert list(example.frame.columns) == COLUMNS
    np.testing.assert_array_equal(example.target, example.frame["band_gap"])


def test_values_are_plausible(example):
    numbers = example.frame.select_dtypes("number").to_numpy()
    assert np.isfinite(numbers).all()
    assert ((example.target > 0) & (example.target < 15)).all()
    assert example.frame["source"].str.len().min() > 0
    assert not example.frame.isna().to_numpy().any()


def test_no_crystal_occurs_twice(example):
    formulas = [Composition(f).reduced_formula for f in example.frame["formula"]]
    crystals = list(zip(formulas, example.frame["space_group"], strict=True))
    assert len(set(crystals)) == len(crystals)


def test_space_groups_are_those_of_the_table(rows):
    wrong = {}
    for structure, row in rows:
        cell = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
        found = spglib.get_symmetry_dataset(cell, symprec=0.01).number
        if found != row.space_group:
            wrong[row.formula, row.prototype] = found, row.space_group
    assert wrong == {}


def test_formulas_are_those_of_the_table(rows):
    wrong = {
        row.formula: structure.composition.formula
        for structure, row in rows
        if structure.composition.reduced_composition != Composition(row.formula).reduced_composition
    }
    assert wrong == {}


def test_atoms_keep_their_distance(rows):
    closest = {}
    for structure, row in rows:
        distances = structure.get_neighbor_list(5.0)[3]
        closest[row.formula, row.prototype] = distances.min()
    assert min(closest.values()) > 1.2
    assert max(closest.values()) < 4.0


def test_known_bond_lengths(example):
    bonds = {("Si", "diamond"): 2.352, ("NaCl", "rocksalt"): 2.82, ("TiO2", "rutile"): 1.946}
    for (formula, prototype), expected in bonds.items():
        at = (example.frame["formula"] == formula) & (example.frame["prototype"] == prototype)
        (structure,) = example.structures[at.to_numpy()]
        assert structure.get_neighbor_list(4.0)[3].min() == pytest.approx(expected, abs=1e-3)


def test_every_prototype_is_used(example):
    assert set(example.frame["prototype"]) == set(PROTOTYPES)


def test_orbits_are_expanded_once():
    elements, positions = build_prototype("spinel", ["Mg", "Al", "O"], {"u": 0.2624})
    assert elements == ["Mg"] * 8 + ["Al"] * 16 + ["O"] * 32
    assert positions.shape == (56, 3)
    assert ((positions >= 0) & (positions < 1)).all()


def test_return_x_y(example):
    structures, target = load_example(return_X_y=True)
    assert list(structures) == list(example.structures)
    np.testing.assert_array_equal(target, example.target)


def test_description_states_size_and_range(example):
    assert str(len(example.frame)) in example.DESCR
    assert f"{example.target.min():g} to {example.target.max():g} eV" in example.DESCR


def test_changing_a_result_does_not_change_the_next():
    first, reference = load_example(), load_example()
    first.structures[0].replace_species({"C": "Si"})
    first.structures[1] = None
    first.target[:] = -1
    first.frame.loc[:, "formula"] = "X"
    np.testing.assert_array_equal(first.frame["band_gap"], reference.target)
    second = load_example()
    assert list(second.structures) == list(reference.structures)
    np.testing.assert_array_equal(second.target, reference.target)
    assert second.frame.equals(reference.frame)
