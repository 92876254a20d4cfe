import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.symmetry import search
from sklearn_cloud.symmetry.search import find_symmetries, find_symmetry


def permuted(structure, rng):
    order = rng.permutation(len(structure))
    return Structure.from_sites([structure[int(i)] for i in order])


def shifted(structure, rng):
    moved = structure.copy()
    moved.translate_sites(range(len(moved)), rng.random(3))
    return moved


def rotated(structure, rng):
    moved = structure.copy()
    moved.apply_operation(SymmOp.from_axis_angle_and_translation(rng.random(3), 77))
    return moved


def unimodular(structure, rng):
    change = np.eye(3, dtype=int)
    for _ in range(3):
        i, j = rng.choice(3, 2, replace=False)
        shear = np.eye(3, dtype=int)
        shear[i, j] = rng.choice([-1, 1])
        change = shear @ change
    lattice = Lattice(change @ structure.lattice.matrix)
    coords = structure.frac_coords @ np.linalg.inv(change)
    return Structure(lattice, structure.species, coords, to_unit_cell=True)


def primitive(structure, rng):
    return structure.get_primitive_structure()


def supercell(structure, rng):
    return structure.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]], in_place=False)


@pytest.mark.parametrize("backend", ["moyopy", "spglib"])
@pytest.mark.parametrize(
    "change",
    [permuted, shifted, rotated, unimodular, primitive, supercell],
    ids=lambda f: f.__name__,
)
def test_same_crystal_same_orbits(change, backend, crystals, rng):
    for name, structure in crystals.items():
        reference = find_symmetry(read_crystal(structure), symprec=0.1)[:2]
        for _ in range(3):
            changed = read_crystal(change(structure, rng))
            assert find_symmetry(changed, symprec=0.1, backend=backend)[:2] == reference, name


def test_a_distortion_beyond_symprec_lowers_the_symmetry(crystals):
    distorted = crystals["rock salt"].copy()
    distorted.translate_sites([0], [0.03, 0.0, 0.0])  # 0.17 angstrom
    assert find_symmetry(read_crystal(distorted), symprec=0.1).number < 225
    assert find_symmetry(read_crystal(distorted), symprec=0.3).number == 225


def test_moyopy_does_not_write_to_stderr(crystals, capfd):
    find_symmetry(read_crystal(crystals["rock salt"]), symprec=0.1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("backend", ["moyopy", "spglib"])
def test_a_cell_of_several_primitive_ones_is_searched_as_one(backend, crystals, monkeypatch):
    searched = []
    name = f"_search_{backend}"
    finder = getattr(search, name)
    monkeypatch.setattr(search, name, lambda c, *a: searched.append(c) or finder(c, *a))
    crystal = read_crystal(crystals["rutile"].make_supercell(2, in_place=False))
    number, orbits, *_ = find_symmetry(crystal, symprec=0.1, backend=backend)
    assert [len(found.kinds) for found in searched] == [48, 6]
    assert (number, [orbit.position for orbit in orbits]) == (136, ["2a", "4f"])


def test_a_finder_that_fails_is_asked_again_with_a_narrower_tolerance(crystals, monkeypatch):
    asked = []
    finder = search._search_moyopy

    def reluctant(crystal, symprec, angle_tolerance):
        asked.append(symprec)
        if symprec > 0.07:
            raise ValueError("no group")
        return finder(crystal, symprec, angle_tolerance)

    monkeypatch.setattr(search, "_search_moyopy", reluctant)
    assert find_symmetry(read_crystal(crystals["rutile"]), symprec=0.1).number == 136
    np.testing.assert_allclose(asked, [0.1, 0.08, 0.06])


def test_a_crystal_without_any_group_leaves_the_others_alone(crystals, monkeypatch):
    finder = search._search_moyopy

    def choosy(crystal, symprec, angle_tolerance):
        if len(crystal.kinds) == 6:
            raise ValueError("no group")
        return finder(crystal, symprec, angle_tolerance)

    monkeypatch.setattr(search, "_search_moyopy", choosy)
    rutile, perovskite = (read_crystal(crystals[name]) for name in ("rutile", "perovskite"))
    first, second = find_symmetries([rutile, perovskite], 0.1)
    assert isinstance(first, ValueError) and "symprec=0.1 (no group)" in str(first)
    assert second[0] == 221
    with pytest.raises(ValueError, match="the other backend"):
        find_symmetry(rutile, symprec=0.1)


@pytest.mark.parametrize("old_handling", ["0", "1"])
def test_spglib_fails_with_an_exception_or_with_none(old_handling, crystals, monkeypatch):
    monkeypatch.setenv("SPGLIB_OLD_ERROR_HANDLING", old_handling)
    crystal = read_crystal(crystals["rock salt"])
    assert find_symmetry(crystal, symprec=0.1, backend="spglib").number == 225
    overlapping = crystal._replace(
        positions=np.zeros_like(crystal.positions), kinds=np.zeros_like(crystal.kinds)
    )
    with pytest.raises(ValueError, match="spglib"):
        search._search_spglib(overlapping, 0.1, None)
