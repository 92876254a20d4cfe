"""Crystals as Atoms of jarvis-tools."""

from types import SimpleNamespace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud import SymmetryStringTransformer, symmetry_string

CELL, PLACES, ELEMENTS = np.diag([4.12] * 3), [[0, 0, 0], [0.5, 0.5, 0.5]], ["Cs", "Cl"]
EXPECTED = symmetry_string(Structure(Lattice(CELL), ELEMENTS, PLACES))


def test_objects_with_these_attributes():
    atoms = SimpleNamespace(lattice_mat=CELL, frac_coords=np.array(PLACES), elements=ELEMENTS)
    assert symmetry_string(atoms) == EXPECTED
    bad = SimpleNamespace(lattice_mat=CELL, frac_coords=np.array(PLACES), elements=["Cs", "Xx"])
    with pytest.raises(ValueError, match="Xx"):
        symmetry_string(bad)


@pytest.mark.parametrize("cartesian", [False, True])
def test_atoms_of_jarvis(cartesian):
    jarvis = pytest.importorskip("jarvis.core.atoms", reason="needs jarvis-tools")
    places = np.array(PLACES) @ CELL if cartesian else PLACES
    atoms = jarvis.Atoms(lattice_mat=CELL, coords=places, elements=ELEMENTS, cartesian=cartesian)
    found = SymmetryStringTransformer().fit_transform([atoms, atoms.to_dict()])
    assert found.tolist() == [EXPECTED] * 2
