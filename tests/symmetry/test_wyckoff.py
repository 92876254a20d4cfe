import itertools

import moyopy
import numpy as np
import pytest
from pymatgen.core import Lattice

from sklearn_cloud.symmetry import canonical_orbits, wyckoff_positions
from sklearn_cloud.symmetry.wyckoff import _relabelings

LETTERS = "abcdefghijklmnopqrstuvwxyzA"


@pytest.mark.parametrize("number", range(1, 231))
def test_table_is_a_group_of_permutations_that_keep_multiplicities(number):
    orders = _relabelings(number)
    symbols = wyckoff_positions(number)
    assert [s[-1] for s in symbols] == list(LETTERS[: len(symbols)])
    assert (np.sort(orders, axis=1) == np.arange(len(symbols))).all()
    multiplicities = np.array([int(s[:-1]) for s in symbols])
    assert (multiplicities[orders] == multiplicities).all()
    rows = {tuple(row) for row in orders.tolist()}
    assert len(rows) == len(orders)
    assert tuple(range(len(symbols))) in rows
    for first, second in itertools.islice(itertools.product(orders, orders), 2000):
        assert tuple(first[second].tolist()) in rows


def crystal_with_every_special_position(number, lattice):
    """One atom type on each Wyckoff position that moyopy's own table knows coordinates for."""
    operations = moyopy.operations_from_number(number)
    rng = np.random.default_rng(number)
    rotations = np.array(operations.rotations)
    translations = np.array(operations.translations)
    kinds, positions = [], []
    for kind, point in enumerate([*itertools.product([0, 0.25, 0.5], repeat=3), rng.random(3)]):
        images = np.mod(rotations @ np.array(point) + translations, 1.0)
        images = np.unique(np.round(images, 8) % 1.0, axis=0)
        taken = np.array(positions).reshape(-1, 1, 3)
        gaps = taken - images[None]
        if len(taken) and (np.abs(gaps - np.rint(gaps)).max(-1) < 1e-6).any():
            continue
        kinds += [kind + 1] * len(images)
        positions += images.tolist()
    return moyopy.Cell(lattice.matrix.tolist(), positions, kinds)


@pytest.mark.parametrize(
    ("number", "lattice"),
    [
        (10, Lattice.monoclinic(4.1, 5.2, 6.3, 101)),
        (16, Lattice.orthorhombic(4.1, 5.2, 6.3)),
        (47, Lattice.orthorhombic(4.1, 5.2, 6.3)),
        (69, Lattice.orthorhombic(4.1, 5.2, 6.3)),
        (123, Lattice.tetragonal(4.1, 6.3)),
        (187, Lattice.hexagonal(4.1, 6.3)),
        (216, Lattice.cubic(6.0)),
        (227, Lattice.cubic(6.0)),
    ],
)
def test_relabelings_of_moyopy_are_in_the_table(number, lattice):
    cell = crystal_with_every_special_position(number, lattice)
    dataset = moyopy.MoyoDataset(cell, symprec=1e-3)
    assert dataset.number == number
    orders = _relabelings(number)
    identity, *others = dataset.normalizer_wyckoff_positions().coset_representatives
    assert others
    for _, sequence in others:
        moved = {a.letter: b.letter for a, b in zip(identity[1], sequence, strict=True)}
        new_of_old = {LETTERS.index(a): LETTERS.index(b) for a, b in moved.items()}
        assert any(all(row[new] == old for old, new in new_of_old.items()) for row in orders)


def test_letters_do_not_depend_on_the_elements():
    one = canonical_orbits(62, [("c", ["O"]), ("b", ["Ti"]), ("c", ["Ca"])])
    other = canonical_orbits(62, [("c", ["Ca"]), ("a", ["O"]), ("c", ["Ti"])])
    assert [o.position for o in one] == [o.position for o in other] == ["4a", "4c", "4c"]


def test_ties_go_to_the_earliest_element():
    for letters in ("ab", "ba"):
        orbits = canonical_orbits(225, zip(letters, [["Na"], ["Cl"]], strict=True))
        assert [o.elements for o in orbits] == [("Na",), ("Cl",)]


def test_unknown_letter():
    with pytest.raises(ValueError, match="space group 36 has no Wyckoff position 'c'"):
        canonical_orbits(36, [("c", ["O"])])
