import re
from collections import Counter

import numpy as np
import pytest
from pymatgen.analysis.local_env import EconNN
from pymatgen.core import Lattice, Structure, SymmOp
from sklearn.base import clone

from sklearn_cloud.baselines import SlicesBertRegressor, SlicesStringTransformer
from sklearn_cloud.baselines.bonds import bond_graph
from sklearn_cloud.baselines.slices_strings import slices_string
from sklearn_cloud.crystals.reading import read_crystal

FCC = Lattice.from_parameters(1, 1, 1, 60, 60, 60)
SALT = Structure(FCC.scale(44.8), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
DIAMOND = Structure(FCC.scale(11.4), ["C", "C"], [[0, 0, 0], [0.25, 0.25, 0.25]])
GRAPHENE = Structure(
    Lattice.hexagonal(2.46, 15), ["C", "C"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5]]
)
RUTILE = Structure(
    Lattice.tetragonal(4.594, 2.959),
    ["Ti", "Ti", "O", "O", "O", "O"],
    [[0, 0, 0], [0.5] * 3, [0.305, 0.305, 0], [0.695, 0.695, 0], [0.195, 0.805, 0.5]]
    + [[0.805, 0.195, 0.5]],
)
ATOM = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])


def read_string(string):
    """Elements, and bonds as (i, j, three translations)."""
    found = re.findall(r"(\d+) (\d+) ([o+-]) ([o+-]) ([o+-])", string)
    values = {"o": 0, "+": 1, "-": -1}
    bonds = [(int(i), int(j), *(values[x] for x in label)) for i, j, *label in found]
    return re.findall(r"[A-Z][a-z]?", string), bonds


def test_simple_cubic_string():
    polonium = Structure(Lattice.cubic(3.35), ["Po"], [[0, 0, 0]])
    assert slices_string(polonium) == "Po 0 0 + o o 0 0 o + o 0 0 o o +"


def test_rock_salt_has_six_bonds_between_unlike_atoms():
    elements, bonds = read_string(slices_string(SALT))
    assert elements == ["Na", "Cl"]
    assert len(set(bonds)) == 6
    assert {bond[:2] for bond in bonds} == {(0, 1)}
    # of the eight Cl at the corners of a rhombohedron around Na, all but the two far ones
    translations = np.array([bond[2:] for bond in bonds])
    assert (translations.sum(axis=0) == [-3, -3, -3]).all()
    assert {-1, -2} == set(translations.sum(axis=1))


@pytest.mark.parametrize(
    "crystal, n_bonds, coordination",
    [(SALT, 6, [6, 6]), (DIAMOND, 4, [4, 4]), (GRAPHENE, 3, [3, 3]), (ATOM, 0, [0])],
)
def test_coordination_numbers(crystal, n_bonds, coordination):
    _, bonds = read_string(slices_string(crystal))
    assert len(bonds) == n_bonds
    ends = Counter(end for bond in bonds for end in bond[:2])
    assert [ends[i] for i in range(len(coordination))] == coordination


def test_bonds_have_the_lengths_of_hoppes_neighbours():
    graph = bond_graph(read_crystal(RUTILE))
    assert Counter(graph.elements) == {"Ti": 2, "O": 4}
    expected = set()
    for site in range(len(RUTILE)):
        for found in EconNN(cutoff=10.0).get_nn_info(RUTILE, site):
            pair = (site, found["site_index"], *found["image"])
            back = (pair[1], pair[0], *(-x for x in pair[2:]))
            expected.add(min(pair, back))
    assert len(graph.bonds) == len(expected)
    pairs = Counter(tuple(sorted(RUTILE[i].specie.symbol for i in pair[:2])) for pair in expected)
    ours = Counter(tuple(sorted(graph.elements[i] for i in bond[:2])) for bond in graph.bonds)
    assert ours == pairs


@pytest.mark.parametrize("crystal", [SALT, DIAMOND, GRAPHENE, RUTILE])
def test_elements_and_bonds_come_back_from_the_string(crystal):
    graph = bond_graph(read_crystal(crystal))
    elements, bonds = read_string(slices_string(crystal))
    assert tuple(elements) == graph.elements
    assert bonds == [tuple(bond) for bond in graph.bonds.tolist()]
    counts = Counter(site.specie.symbol for site in crystal.get_primitive_structure())
    assert Counter(elements) == counts


@pytest.mark.parametrize("crystal", [SALT, DIAMOND, GRAPHENE, RUTILE])
def test_description_of_the_crystal_leaves_no_trace(crystal):
    moved = Structure.from_sites(list(crystal)[::-1])
    moved.translate_sites(range(len(moved)), [0.37, 0.19, 0.71])
    assert slices_string(moved) == slices_string(crystal)
    moved.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    moved.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 37))
    assert slices_string(moved) == slices_string(crystal)


def test_transformer():
    strings = clone(SlicesStringTransformer()).set_output(transform="pandas").fit_transform([SALT])
    assert strings.columns.tolist() == ["slices_string"]
    assert strings.loc[0, "slices_string"] == slices_string(SALT)
    with pytest.raises(ValueError, match="symprec"):
        SlicesStringTransformer(symprec=0).fit([SALT])


@pytest.mark.parametrize(
    "crystal, error, message",
    [
        (
            Structure(FCC.scale(44.8), [{"Na": 0.5}], [[0, 0, 0]]),
            ValueError,
            "a site is disordered",
        ),
        ("NaCl", ValueError, "structure"),
        (None, TypeError, "expected a crystal"),
    ],
)
def test_bad_row_is_named(crystal, error, message):
    with pytest.raises(error, match=f"row 1: .*{message}"):
        SlicesStringTransformer().transform([SALT, crystal])


def test_bond_beyond_the_neighbouring_cells_is_refused(monkeypatch):
    far = np.array([[0, 1, 2, 0, 0]])
    monkeypatch.setattr("sklearn_cloud.baselines.bonds._find_bonds", lambda *cell: far)
    with pytest.raises(ValueError, match="neighbouring cells"):
        slices_string(SALT)


def test_tokens_of_the_network():
    model = SlicesBertRegressor()
    tokens = model._read_item(read_crystal(SALT))
    ids = tokens.token_ids()
    assert len(ids) == tokens.n_tokens == 1 + 2 + 3 * 6
    assert len({tuple(label) for label in tokens.bonds[:, 2:].tolist()}) == len(set(ids[5::3])) == 6
    other = model._read_item(read_crystal(SALT.copy().replace_species({"Na": "K"}))).token_ids()
    assert np.flatnonzero(other != ids).tolist() == [1]


def test_long_strings_are_cut_or_refused():
    whole = SlicesBertRegressor()._read_item(read_crystal(RUTILE))
    short = SlicesBertRegressor(max_tokens=15)._read_item(read_crystal(RUTILE))
    assert short.n_tokens == 13  # six atoms, and the two bonds that fit
    assert (short.bonds == whole.bonds[:2]).all()
    tiny = SlicesBertRegressor(max_tokens=4)._read_item(read_crystal(RUTILE))
    assert tiny.n_tokens == 4 and len(tiny.bonds) == 0
    model = SlicesBertRegressor(max_tokens=15, on_too_long="raise", validation_fraction=0)
    with pytest.raises(ValueError, match=r"row 1: .* tokens \(6 atoms and .*max_tokens"):
        model.fit([ATOM, RUTILE], [0.0, 1.0])


def test_it_tells_apart_what_differs_in_bonds_alone():
    zinc_blende = Structure(FCC.scale(44.8), ["Na", "Cl"], [[0, 0, 0], [0.25, 0.25, 0.25]])
    model = SlicesBertRegressor(
        width=16,
        n_layers=1,
        n_heads=2,
        dropout=0.0,
        max_epochs=60,
        learning_rate=0.01,
        validation_fraction=0,
        device="cpu",
        random_state=0,
    )
    model.fit([SALT, zinc_blende], [0.0, 1.0])
    assert np.abs(model.predict([zinc_blende, SALT]) - [1.0, 0.0]).max() < 0.2
