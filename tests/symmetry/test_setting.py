import moyopy
import numpy as np
import pytest
import spglib

from sklearn_cloud.crystals.cells import niggli_cell
from sklearn_cloud.crystals.crystal import Crystal
from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.symmetry import setting, symmetry_string
from sklearn_cloud.symmetry.search import find_symmetries
from sklearn_cloud.symmetry.setting import primitive_setting, standard_setting

SPECIES = ((("O", 1.0),), (("Ca", 1.0),), (("Ti", 1.0),))


@pytest.fixture
def crystal():
    """Without any symmetry, so that its setting is unique."""
    rng = np.random.default_rng(0)
    lattice = np.diag([4.0, 5.1, 6.3]) + rng.normal(scale=0.4, size=(3, 3))
    return Crystal(lattice, rng.random((7, 3)), np.array([0, 0, 0, 0, 1, 1, 2]), SPECIES)


def permuted(crystal, rng):
    order = rng.permutation(len(crystal.kinds))
    return crystal._replace(positions=crystal.positions[order], kinds=crystal.kinds[order])


def shifted(crystal, rng):
    return crystal._replace(positions=np.mod(crystal.positions + rng.random(3), 1.0))


def sheared(crystal, rng):
    change = np.array([[1, 1, 0], [0, 1, -1], [0, 0, 1]])
    positions = crystal.positions @ np.linalg.inv(change)
    return crystal._replace(lattice=change @ crystal.lattice, positions=positions)


def rotated(crystal, rng):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return crystal._replace(lattice=crystal.lattice @ (rotation * np.linalg.det(rotation)))


def renamed(crystal, rng):
    """Species in another order."""
    return crystal._replace(kinds=2 - crystal.kinds, species=SPECIES[::-1])


@pytest.mark.parametrize("change", [permuted, shifted, sheared, rotated, renamed])
def test_the_setting_does_not_depend_on_the_description(crystal, change):
    reference, _ = standard_setting(crystal)
    setting, _ = standard_setting(change(crystal, np.random.default_rng(1)))
    metric = reference.lattice @ reference.lattice.T
    np.testing.assert_allclose(setting.lattice @ setting.lattice.T, metric, atol=1e-8)
    np.testing.assert_allclose(setting.positions, reference.positions, atol=1e-8)
    assert setting.kinds.tolist() == reference.kinds.tolist()
    assert setting.species == reference.species


def test_the_setting_describes_the_same_crystal(crystal):
    setting, order = standard_setting(crystal)
    held = [setting.species[kind] for kind in setting.kinds]
    assert held == [crystal.species[kind] for kind in crystal.kinds[order]]
    # the vectors between the sites are the same modulo the lattice
    before = (crystal.positions - crystal.positions[order[0]])[order] @ crystal.lattice
    turns = (setting.positions @ setting.lattice - before) @ np.linalg.inv(crystal.lattice)
    np.testing.assert_allclose(turns, np.rint(turns), atol=1e-8)


def test_the_origin_is_a_site_of_the_rarest_kind(crystal):
    setting, _ = standard_setting(crystal)
    assert np.allclose(setting.positions[0], 0)
    assert setting.species[setting.kinds[0]] == (("Ti", 1.0),)


def doubled(crystal, noise=0.0):
    """The crystal and its next cell along b, whose first site is off by `noise` angstrom."""
    cell = np.diag([1.0, 2.0, 1.0])
    copies = [crystal.positions, crystal.positions + [0, 1, 0]]
    copies[1][0] += noise * np.linalg.inv(crystal.lattice)[0]
    positions = np.concatenate(copies) @ np.linalg.inv(cell)
    return crystal._replace(
        lattice=cell @ crystal.lattice, positions=positions, kinds=np.tile(crystal.kinds, 2)
    )


def test_a_doubled_cell_has_the_setting_of_the_single_one(crystal):
    reference, _ = standard_setting(crystal)
    primitive, kept = primitive_setting(*standard_setting(doubled(crystal)))
    metric = reference.lattice @ reference.lattice.T
    np.testing.assert_allclose(primitive.lattice @ primitive.lattice.T, metric, atol=1e-8)
    np.testing.assert_allclose(primitive.positions, reference.positions, atol=1e-8)
    held = [primitive.species[kind] for kind in primitive.kinds]
    assert held == [crystal.species[kind] for kind in np.tile(crystal.kinds, 2)[kept]]


def test_only_what_repeats_exactly_is_removed(crystal):
    setting = standard_setting(doubled(doubled(crystal, noise=0.01)))
    primitive, _ = primitive_setting(*setting)
    assert len(primitive.kinds) == 2 * len(crystal.kinds)
    assert primitive_setting(*standard_setting(doubled(crystal, noise=0.01))) is None


def stuck(lattice):
    raise ValueError("Niggli reduction failed")


def test_a_cell_that_moyopy_cannot_reduce_is_reduced_by_spglib(crystal, monkeypatch):
    expected = niggli_cell(crystal.lattice)
    monkeypatch.setattr(moyopy, "niggli_reduce", stuck)
    found = niggli_cell(crystal.lattice)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-8)


def test_a_cell_that_cannot_be_reduced_is_an_error_of_its_crystal(crystal, monkeypatch):
    monkeypatch.setattr(moyopy, "niggli_reduce", stuck)
    monkeypatch.setattr(spglib, "niggli_reduce", lambda lattice: None)
    (found,) = find_symmetries([crystal], 0.1)
    assert isinstance(found, ValueError) and "the cell cannot be reduced" in str(found)


def test_a_few_sites_at_a_time_give_the_same(crystals, monkeypatch):
    for structure in crystals.values():
        crystal = read_crystal(structure.make_supercell((2, 1, 1), in_place=False))
        whole, order = setting.standard_setting(crystal)
        primitive = setting.primitive_setting(whole, order)
        with monkeypatch.context() as context:
            context.setattr(setting, "_MOST_PAIRS", 2 * len(crystal.kinds))
            parts, order = setting.standard_setting(crystal)
            other = setting.primitive_setting(parts, order)
        # sites that are alike by symmetry tie: another one of them may be the origin
        lengths = [np.linalg.norm(s.positions @ s.lattice, axis=1) for s in (whole, parts)]
        np.testing.assert_allclose(*lengths, atol=1e-6)
        assert len(other[1]) == len(primitive[1])
        assert symmetry_string(parts) == symmetry_string(structure)
