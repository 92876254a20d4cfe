import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.crystals.crystal import Crystal
from sklearn_cloud.crystals.geometry import GEOMETRY, describe_geometry
from sklearn_cloud.crystals.reading import read_crystal

A = 5.0


def describe(structure):
    numbers, nearest = describe_geometry(read_crystal(structure), symprec=0.1)
    return dict(zip(GEOMETRY, numbers.tolist(), strict=True)), nearest


def cubic(number, species, positions):
    return Structure.from_spacegroup(number, Lattice.cubic(A), species, positions)


@pytest.mark.parametrize(
    ("number", "species", "positions", "distance", "coordination", "n_sites"),
    [
        (225, ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]], A / 2, 6, 8),
        (227, ["C"], [[0, 0, 0]], A * np.sqrt(3) / 4, 4, 8),
        (225, ["Cu"], [[0, 0, 0]], A / np.sqrt(2), 12, 4),
        (221, ["Po"], [[0, 0, 0]], A, 6, 1),
        (221, ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]], A * np.sqrt(3) / 2, 14, 2),
    ],
    ids=["rock salt", "diamond", "fcc", "simple cubic", "CsCl"],
)
def test_known_crystals(number, species, positions, distance, coordination, n_sites):
    structure = cubic(number, species, positions)
    assert len(structure) == n_sites
    numbers, nearest = describe(structure)
    assert numbers["log shortest distance"] == pytest.approx(np.log(distance), abs=1e-5)
    assert numbers["log mean nearest-neighbour distance"] == pytest.approx(
        np.log(distance), abs=1e-5
    )
    # 8 neighbours of CsCl at 0.866 a and 6 at a are within a factor of 1.2
    assert numbers["log coordination number"] == pytest.approx(np.log(coordination))
    np.testing.assert_allclose(nearest, np.full(n_sites, np.log(distance)), atol=1e-5)
    assert numbers["log volume per atom"] == pytest.approx(np.log(A**3 / n_sites), abs=1e-5)
    assert numbers["log density"] == pytest.approx(np.log(structure.density), abs=1e-4)


def test_cell_is_the_reduced_one():
    numbers, _ = describe(Structure(Lattice.orthorhombic(6.0, 3.0, 4.5), ["Po"], [[0, 0, 0]]))
    assert numbers["log b/a"] == pytest.approx(np.log(1.5), abs=1e-5)
    assert numbers["log c/a"] == pytest.approx(np.log(2.0), abs=1e-5)
    for angle in ("alpha", "beta", "gamma"):
        assert numbers[f"cos {angle}"] == pytest.approx(0, abs=1e-6)
    numbers, _ = describe(cubic(225, ["Cu"], [[0, 0, 0]]))
    assert [numbers[f"cos {angle}"] for angle in ("alpha", "beta", "gamma")] == pytest.approx(
        [0.5, 0.5, 0.5], abs=1e-5
    )


def test_sites_have_their_own_distance(crystals):
    perovskite = crystals["perovskite"]
    numbers, nearest = describe(perovskite)
    a = perovskite.lattice.a
    expected = [a / np.sqrt(2), a / 2, a / 2, a / 2, a / 2]
    np.testing.assert_allclose(nearest, np.log(expected), atol=1e-5)
    mean = numbers["log mean nearest-neighbour distance"]
    assert mean == pytest.approx(np.log(np.mean(expected)), abs=1e-5)
    assert numbers["log shortest distance"] == pytest.approx(np.log(a / 2), abs=1e-5)


@pytest.mark.parametrize(
    "name", ["rock salt", "perovskite", "half-Heusler", "rutile", "wurtzite", "triclinic"]
)
def test_cell_and_origin_leave_no_trace(crystals, name, rng):
    structure = crystals[name]
    numbers, nearest = describe(structure)
    shifted = structure.copy()
    shifted.translate_sites(range(len(structure)), rng.random(3), to_unit_cell=False)
    variants = {
        "supercell": structure * (2, 1, 3),
        "primitive": structure.get_primitive_structure(),
        "sheared": structure * [[1, 1, 0], [0, 1, 2], [0, 0, 1]],
        "origin": shifted,
        "order": Structure.from_sites(list(structure)[::-1]),
    }
    for variant, other in variants.items():
        found, found_nearest = describe(other)
        assert found == pytest.approx(numbers, abs=2e-4), variant
        np.testing.assert_allclose(np.unique(found_nearest.round(3)), np.unique(nearest.round(3)))


def test_partial_occupancies_weigh_in():
    full = Structure(Lattice.cubic(3.0), ["Fe"], [[0, 0, 0]])
    half = Structure(Lattice.cubic(3.0), [{"Fe": 0.5}], [[0, 0, 0]])
    difference = describe(full)[0]["log density"] - describe(half)[0]["log density"]
    assert difference == pytest.approx(np.log(2), abs=1e-5)


def test_neighbours_far_away_are_found():
    numbers, _ = describe(Structure(Lattice.cubic(20.0), ["Ar"], [[0, 0, 0]]))
    assert numbers["log shortest distance"] == pytest.approx(np.log(20.0), abs=1e-5)


def test_isolated_atoms_have_no_geometry():
    crystal = Crystal(
        np.eye(3) * 30.0, np.zeros((1, 3)), np.zeros(1, dtype=np.int32), ((("Ar", 1.0),),)
    )
    with pytest.raises(ValueError, match="no neighbour within 21 angstrom"):
        describe_geometry(crystal, symprec=0.1)
