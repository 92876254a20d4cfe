import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.symmetry.asymmetric_unit import find_asymmetric_unit
from sklearn_cloud.symmetry.search import find_symmetry

PEROVSKITE = Structure.from_spacegroup(
    221, Lattice.cubic(3.9), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
)


@pytest.mark.parametrize("scale", [1, (2, 1, 1)], ids=["cell", "supercell"])
def test_orbits_of_perovskite(scale):
    crystal = read_crystal(PEROVSKITE * scale)
    unit = find_asymmetric_unit(crystal, symprec=0.01)
    assert len(unit.crystal.kinds) == 5
    elements = [unit.crystal.species[unit.crystal.kinds[site]][0][0] for site in unit.sites]
    assert dict(zip(elements, unit.multiplicities.tolist())) == {"Sr": 1, "Ti": 1, "O": 3}
    np.testing.assert_array_equal(unit.orbits[unit.sites], np.arange(3))
    assert (np.bincount(unit.orbits) == unit.multiplicities).all()


def test_as_many_orbits_as_the_symmetry_search_finds():
    crystal = read_crystal(PEROVSKITE)
    unit = find_asymmetric_unit(crystal, symprec=0.01)
    assert len(unit.sites) == len(find_symmetry(crystal, symprec=0.01).orbits)


def test_no_symmetry_leaves_every_site():
    triclinic = Structure(
        Lattice.from_parameters(4.1, 5.3, 6.7, 81, 97, 103),
        ["Ca", "O", "O"],
        [[0, 0, 0], [0.4, 0.1, 0.3], [0.7, 0.25, 0.55]],
    )
    unit = find_asymmetric_unit(read_crystal(triclinic), symprec=0.01)
    assert unit.multiplicities.tolist() == [1, 1, 1]
