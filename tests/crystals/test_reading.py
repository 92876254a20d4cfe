import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Composition, DummySpecies, Lattice, Molecule, Structure

from sklearn_cloud import CrystalError
from sklearn_cloud.crystals import read_crystal
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
        ("Na0", CrystalError, "contains no atoms"),
        ("NaCl-", CrystalError, "'NaCl-' is not a chemical formula"),
        ("Qq2O3", CrystalError, "the formula 'Qq2O3' contains 'Qq', which is not one of the 118"),
        ("missing.cif", CrystalError, "there is no file 'missing.cif'"),
        ("data_x\nnonsense", CrystalError, "the CIF text cannot be read as a crystal"),
        ("0 0 0 | 1a | Na 1.0", CrystalError, "already a symmetry string"),
        (Structure(CUBIC, [], []), CrystalError, "no sites"),
        (Structure(CUBIC, [DummySpecies("X")], [[0, 0, 0]]), CrystalError, "site 0 contains 'X'"),
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
    molecule = ase.Atoms("NaCl", positions=[[0, 0, 0], [0, 0, 2.4]])
    with pytest.raises(CrystalError, match="not periodic: set atoms.pbc"):
        symmetry_string(molecule)
    molecule.pbc = True
    with pytest.raises(CrystalError, match="no volume: .* atoms.center"):
        symmetry_string(molecule)
    with pytest.raises(CrystalError, match="no sites"):
        symmetry_string(ase.Atoms(cell=[4, 4, 4], pbc=True))


def test_a_slab_of_ase_is_a_crystal():
    build = pytest.importorskip("ase.build")
    slab = build.fcc111("Al", (1, 1, 4), vacuum=10)
    assert not slab.pbc.all()
    expected = symmetry_string(slab)
    slab.pbc = True
    assert symmetry_string(slab) == expected


def test_disorder_in_ase():
    ase = pytest.importorskip("ase")
    atoms = ase.Atoms("NaCl", scaled_positions=[[0, 0, 0], [0.5] * 3], cell=[4] * 3, pbc=True)
    atoms.info["occupancy"] = {"0": {"Na": 0.5, "K": 0.5}, "1": {"Cl": 1.0}}
    with pytest.raises(CrystalError, match="'spacegroup_kinds'"):
        symmetry_string(atoms)
    atoms.set_array("spacegroup_kinds", np.array([0, 1]))
    assert symmetry_string(atoms).endswith("1a K Na 1b Cl | K 0.25 Na 0.25 Cl 0.5")


def test_isotopes_count_as_hydrogen():
    heavy, light = (Structure(CUBIC, ["Na", e], [[0, 0, 0], [0.5] * 3]) for e in ("D", "H"))
    with pytest.warns(UserWarning, match="D was read as H"):
        assert symmetry_string(heavy) == symmetry_string(light)
    with pytest.warns(UserWarning, match="T was read as H"):
        assert symmetry_string(Composition("T2O")) == "H 0.67 O 0.33"


def test_a_dummy_beside_hydrogen_is_refused():
    structure = Structure(CUBIC, ["H", DummySpecies("X")], [[0, 0, 0], [0.5] * 3])
    with pytest.raises(CrystalError, match="site 1 contains 'X'"):
        symmetry_string(structure)


def test_full_sites_closer_than_half_an_angstrom():
    close = Structure(CUBIC, ["Na", "K"], [[0, 0, 0], [0, 0, 0.1]])
    with pytest.raises(CrystalError, match="sites 0 and 1 overlap: they are 0.400 angstrom"):
        symmetry_string(close)
    split = Structure(CUBIC, [{"Na": 0.5}, {"K": 0.5}], [[0, 0, 0], [0, 0, 0.1]])
    assert symmetry_string(split).endswith("K 0.5 Na 0.5")


def test_encodings(crystals, tmp_path):
    expected = symmetry_string(crystals["rock salt"])
    text = crystals["rock salt"].to(fmt="cif").replace("# gen", "# g\u00e9n")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
        path = tmp_path / f"{encoding}.cif"
        path.write_bytes(text.encode(encoding))
        assert symmetry_string(path) == expected


@pytest.mark.parametrize("name", ["lost.cif.gz", "lost.extxyz", "POSCAR", "lost.traj"])
def test_a_name_of_a_file_is_not_taken_for_a_formula(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CrystalError, match=f"there is no file '{name}'"):
        read_crystal(name)


def test_a_poscar_under_the_name_of_a_cif(crystals, tmp_path):
    path = tmp_path / "NaCl.cif"
    path.write_text(crystals["rock salt"].to(fmt="poscar"))
    with pytest.raises(CrystalError, match="a POSCAR of VASP, not a CIF: .* end in .vasp"):
        read_crystal(path)


def test_names_that_no_file_can_have():
    for name in ("a" * 300 + ".cif", "a\0b.cif", "x/" * 3000 + "y.cif", "."):
        with pytest.raises(CrystalError):
            symmetry_string(Path(name))
        with pytest.raises(CrystalError):
            symmetry_string(name)


def test_warnings_filters_are_left_alone(crystals):
    text = crystals["rock salt"].to(fmt="cif")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        read_crystal(text)
        assert warnings.filters == before


def test_whatever_an_object_raises_is_a_crystal_error():
    class Broken(Structure):
        def __iter__(self):
            raise MemoryError

    with pytest.raises(CrystalError, match="cannot be read: MemoryError"):
        read_crystal(Broken(CUBIC, ["Na"], [[0, 0, 0]]))


def test_unreadable_files(tmp_path):
    broken = tmp_path / "broken.cif"
    broken.write_text("data_broken\n_cell_length_a 4\n")
    with pytest.raises(CrystalError, match="broken.cif' cannot be read"):
        symmetry_string(broken)
    unknown = tmp_path / "crystal.unknown"
    unknown.write_text("nothing")
    with pytest.raises(CrystalError, match="crystal.unknown' cannot be read"):
        symmetry_string(unknown)
