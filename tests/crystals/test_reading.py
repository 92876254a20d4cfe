import re

import numpy as np
import pytest
from pymatgen.core import Composition, DummySpecies, Lattice, Molecule, Structure

from sklearn_cloud import CrystalError
from sklearn_cloud.symmetry import symmetry_string

CUBIC = Lattice.cubic(4.0)


def test_every_way_to_say_rock_salt(crystals, tmp_path):
    ase_io = pytest.importorskip("pymatgen.io.ase")
    pytest.importorskip("ase")
    structure = crystals["rock salt"]
    reference = symmetry_string(structure)
    cif = structure.to(fmt="cif")
    path = tmp_path / "NaCl.cif"
    path.write_text(cif)
    poscar = tmp_path / "POSCAR"
    structure.to(filename=str(poscar), fmt="poscar")
    atoms = ase_io.AseAtomsAdaptor.get_atoms(structure)
    for item in (cif, str(path), path, poscar, atoms):
        assert symmetry_string(item) == reference


def test_compositions_and_formulas():
    assert symmetry_string(Composition("SrTiO3")) == "Sr 0.2 Ti 0.2 O 0.6"
    assert symmetry_string("SrTiO3") == "Sr 0.2 Ti 0.2 O 0.6"


def test_input_is_not_changed(crystals):
    structure = crystals["rock salt"].copy()
    before = structure.as_dict()
    symmetry_string(structure)
    assert structure.as_dict() == before


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        (None, TypeError, "got None of type NoneType"),
        (3.5, TypeError, "got 3.5 of type float"),
        (["NaCl"], TypeError, "of type list"),
        (Molecule(["H", "H"], [[0, 0, 0], [0, 0, 1]]), TypeError, "of type Molecule"),
        ("", CrystalError, "'' is not a chemical formula"),
        ("Na0", CrystalError, "holds no atoms"),
        ("NaCl-", CrystalError, "'NaCl-' is not a chemical formula"),
        ("Qq2O3", CrystalError, "the formula 'Qq2O3' holds 'Qq', which is not one of the 118"),
        ("missing.cif", CrystalError, "there is no file 'missing.cif'"),
        ("data_x\nnonsense", CrystalError, "the CIF text cannot be read as a crystal"),
        ("0 0 0 | 1a | Na 1.0", CrystalError, "already a symmetry string"),
        (Structure(CUBIC, [], []), CrystalError, "no sites"),
        (Structure(CUBIC, [DummySpecies("X")], [[0, 0, 0]]), CrystalError, "site 0 holds 'X'"),
        (
            Structure(CUBIC, ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.999]]),
            ValueError,
            "sites 0 and 1 overlap: they are 0.004 angstrom apart",
        ),
        (
            Structure(Lattice([[4, 0, 0], [0, 4, 0], [4, 4, 0]]), ["Na"], [[0, 0, 0]]),
            ValueError,
            "the cell has no volume",
        ),
        (Structure(CUBIC, ["Na"], [[np.nan, 0, 0]]), CrystalError, "not finite"),
    ],
)
def test_bad_items(item, error, message):
    with pytest.raises(error, match=re.escape(message)):
        symmetry_string(item)


def test_overlap_is_found_in_large_cells_too():
    lattice = Lattice.cubic(20)
    coords = np.array([[i, j, k] for i in range(5) for j in range(5) for k in range(5)]) / 5
    coords = np.vstack([coords, [[0.2, 0.2, 0.2005]]])
    with pytest.raises(CrystalError, match="sites 31 and 125 overlap"):
        symmetry_string(Structure(lattice, ["Na"] * 126, coords))


def test_impossible_occupancy():
    # pymatgen lets such sites through where validation is switched off
    crowded = Structure(CUBIC, ["Na"], [[0, 0, 0]])
    crowded[0]._species = Composition({"Na": 0.7, "K": 0.7})
    with pytest.raises(CrystalError, match="site 0 has occupancy 1.400"):
        symmetry_string(crowded)


def test_atoms_without_a_cell():
    ase = pytest.importorskip("ase")
    with pytest.raises(CrystalError, match="the cell has no volume"):
        symmetry_string(ase.Atoms("NaCl", positions=[[0, 0, 0], [0, 0, 2.4]]))
    slab = ase.Atoms("Na", cell=[4, 4, 20], pbc=[True, True, False])
    with pytest.raises(CrystalError, match="periodic boundaries along each"):
        symmetry_string(slab)


def test_unreadable_files(tmp_path):
    broken = tmp_path / "broken.cif"
    broken.write_text("data_broken\n_cell_length_a 4\n")
    with pytest.raises(CrystalError, match="broken.cif' cannot be read"):
        symmetry_string(broken)
    unknown = tmp_path / "crystal.unknown"
    unknown.write_text("nothing")
    with pytest.raises(CrystalError, match="crystal.unknown' cannot be read"):
        symmetry_string(unknown)
