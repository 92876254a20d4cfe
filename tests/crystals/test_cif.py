"""Every case is a CIF of its own, with the crystal that it means."""

import textwrap

import numpy as np
import pytest

from sklearn_cloud import CrystalError, symmetry_string
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.symmetry.strings import PARTS, compose_string

CUBIC = "5.64 5.64 5.64 90 90 90"
HEXAGONAL = "12.75 12.75 15.0 90 90 120"
NACL = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"


def write_cif(cell, symmetry, atoms, columns="label type_symbol fract_x fract_y fract_z", extra=""):
    """A CIF of cell parameters in one line, lines about symmetry, and a table of atoms."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    cell = "\n".join(f"_cell_{n} {value}" for n, value in zip(names, cell.split(), strict=True))
    tags = "\n".join(f"_atom_site_{name}" for name in columns.split())
    return f"data_x\n{cell}\n{symmetry}\n{extra}\nloop_\n{tags}\n{textwrap.dedent(atoms)}\n"


def named(symbol, number=None):
    line = f"_symmetry_space_group_name_H-M '{symbol}'"
    return line if number is None else f"{line}\n_symmetry_Int_Tables_number {number}"


def read(text):
    """Sites and composition of the string, and the notes."""
    notes = []
    crystal = read_crystal(text, notes=notes)
    options = {"symprec": 0.1, "angle_tolerance": None, "backend": "moyopy"}
    string = compose_string(crystal, parts=PARTS[1:], sites="orbits", **options)
    return string.split(" | ")[0], notes


ROCK_SALT = write_cif(CUBIC, named("F m -3 m", 225), NACL)


def test_rock_salt():
    assert read(ROCK_SALT) == ("4a Na 4b Cl", [])


OCCUPANCY = "label type_symbol fract_x fract_y fract_z occupancy"
ALLOY = "Cu1 Cu 0 0 0 {0}\nNi1 Ni 0 0 0 {0}\nZn1 Zn 0 0 0 {0}"


@pytest.mark.parametrize(
    ("atoms", "columns", "sites", "note"),
    [
        (
            NACL + "\nCl1A Cl 0.5 0.5 0.5",
            None,
            "4a Na 4b Cl",
            "listed more than once were counted once",
        ),
        (
            NACL + "\nNa2 Na 0 0.5 0.5",
            None,
            "4a Na 4b Cl",
            "listed more than once were counted once",
        ),
        (ALLOY.format(0.334), OCCUPANCY, "4a Zn Cu Ni", "that sum to 1.002 were scaled to 1"),
        ("Na1 Na 0 0 0 .\nCl1 Cl 0.5 0.5 0.5 ?", OCCUPANCY, "4a Na 4b Cl", None),
        ("Na1 Na 0 0 0 1.00\nCl1 Cl .5 .5 .5 1", OCCUPANCY, "4a Na 4b Cl", None),
        (
            "Na1 Na 0 0 0 1\nK1 K 0 0 0 0\nCl1 Cl .5 .5 .5 1",
            OCCUPANCY,
            "4a Na 4b Cl",
            "occupancy 0 were",
        ),
        ("Na1 Na1+ 0 0 0 1\nD1 D1- 0.5 0.5 0.5 1", OCCUPANCY, "4a Na 4b H", "D was read as H"),
        ("Na1 Na1+ 0 0 0\nT1 T1- 0.5 0.5 0.5", None, "4a Na 4b H", "T was read as H"),
        (NACL + "\nX1 X 0.25 0.25 0.25", None, "4a Na 4b Cl", "dummy atoms were left out"),
        (
            "Fe1 Fe2+ 0 0 0 0.5\nFe2 Fe3+ 0 0 0 0.5\nO1 O2- .5 .5 .5 1",
            OCCUPANCY,
            "4a Fe 4b O",
            None,
        ),
    ],
)
def test_what_occupies_a_site(atoms, columns, sites, note):
    columns = {} if columns is None else {"columns": columns}
    found, notes = read(write_cif(CUBIC, named("F m -3 m"), atoms, **columns))
    assert found == sites
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


@pytest.mark.parametrize(
    ("atoms", "columns", "message"),
    [
        (ALLOY.format(0.4), OCCUPANCY, "the site of Cu1 and Ni1 and Zn1 has occupancy 1.200"),
        (NACL + "\nK1 K 0 0 0", None, "the site of Na1 and K1 has occupancy 2.000"),
        ("Na1 Na 0 0 0 -0.5\nCl1 Cl .5 .5 .5 1", OCCUPANCY, "occupancy of atom Na1 is -0.5"),
        ("Na1 Na 0 0 0 full\nCl1 Cl .5 .5 .5 1", OCCUPANCY, "Na1 is 'full', which is not a number"),
        ("Na1 Na 0 0 0 inf\nCl1 Cl .5 .5 .5 1", OCCUPANCY, "which is not finite"),
        ("Na1 Na 0 0 0\nH1 H ? ? ?", None, "a coordinate of atom H1 is missing"),
        ("Na1 Na 0 0 0\nQq1 Qq 0.5 0.5 0.5", None, "atom 'Qq1' has the type 'Qq'"),
        ("1 . 0 0 0", None, "atom '1' has no type symbol"),
    ],
)
def test_atoms_that_cannot_be(atoms, columns, message):
    columns = {} if columns is None else {"columns": columns}
    with pytest.raises(CrystalError) as caught:
        read(write_cif(CUBIC, named("F m -3 m"), atoms, **columns))
    assert message in str(caught.value)


def test_full_atoms_overlap_and_partly_occupied_ones_may():
    triclinic = "4.0 4.0 4.0 90 90 90"
    close = "Na1 Na 0 0 0 {0}\nNa2 Na 0.06 0 0 {0}\nCl1 Cl 0.5 0.5 0.5 1"
    with pytest.raises(CrystalError, match="sites 0 and 1 overlap: they are 0.240 angstrom apart"):
        read(write_cif(triclinic, named("P 1"), close.format(1), columns=OCCUPANCY))
    found, _ = read(write_cif(triclinic, named("P 1"), close.format(0.5), columns=OCCUPANCY))
    assert found.count("Na") == 1 and "x2" in found


BRUCITE = "3.142 3.142 4.766 90 90 120"
LABELS = "label fract_x fract_y fract_z"


def test_hydrogens_that_are_not_among_the_atoms():
    atoms = "Mg 0 0 0\nOH 0.33333 0.66667 0.22"
    formula = "_chemical_formula_sum 'Mg O2 H2'"
    with pytest.raises(
        CrystalError, match="H is not among the atoms.*remove _chemical_formula_sum"
    ):
        read(write_cif(BRUCITE, named("P -3 m 1"), atoms, columns=LABELS, extra=formula))
    found, notes = read(write_cif(BRUCITE, named("P -3 m 1"), atoms, columns=LABELS))
    assert (found, notes) == ("1a Mg 2d O", ["atoms 'OH' were read as O"])
    attached = "Mg Mg 0 0 0 0\nO O 0.33333 0.66667 0.22 1"
    columns = "label type_symbol fract_x fract_y fract_z attached_hydrogens"
    _, notes = read(write_cif(BRUCITE, named("P -3 m 1"), attached, columns=columns))
    assert notes == ["hydrogens without coordinates, attached to other atoms, were left out"]


@pytest.mark.parametrize(
    ("label", "formula", "element"),
    [
        ("Na2A", None, "Na"),
        ("Ow1", None, "O"),
        ("SiT", None, "Si"),
        ("CA1", None, "Ca"),
        ("CA1", "C Cl", "C"),
        ("CA1", "Ca Cl", "Ca"),
        ("Ho1", "H Cl", "H"),
        ("HO1", "Ho Cl", "Ho"),
        ("NH3", None, "N"),
    ],
)
def test_labels_without_a_type_symbol(label, formula, element):
    extra = f"_chemical_formula_sum '{formula}'" if formula else ""
    atoms = f"{label} 0 0 0\nCl1 0.5 0.5 0.5"
    found, _ = read(write_cif(CUBIC, named("F m -3 m"), atoms, columns=LABELS, extra=extra))
    assert found in (f"4a {element} 4b Cl", f"4b {element} 4a Cl", f"4a Cl 4b {element}")


@pytest.mark.parametrize("label", ["Wat1", "M1", "Qq"])
def test_labels_that_name_no_element(label):
    with pytest.raises(CrystalError, match="not one of the 118 elements"):
        read(write_cif(CUBIC, named("F m -3 m"), f"{label} 0 0 0", columns=LABELS))


SPINEL = "Mg1 Mg 0.125 0.125 0.125\nAl1 Al 0.5 0.5 0.5\nO1 O 0.2624 0.2624 0.2624"
SPINEL_1 = "Mg1 Mg 0 0 0\nAl1 Al 0.625 0.625 0.625\nO1 O 0.3874 0.3874 0.3874"
FD3M = "8.083 8.083 8.083 90 90 90"
SI = "5.431 5.431 5.431 90 90 90"
RHOMBOHEDRAL = "5.128 5.128 5.128 55.29 55.29 55.29"
CORUNDUM = "Al1 Al 0.3522 0.3522 0.3522\nO1 O 0.5564 0.9436 0.25"
CORUNDUM_H = "Al1 Al 0 0 0.3522\nO1 O 0.3064 0 0.25"
HALL = "_space_group_name_Hall"


@pytest.mark.parametrize(
    ("cell", "symmetry", "atoms", "sites"),
    [
        (FD3M, named("F d -3 m:2"), SPINEL, "8a Mg 16d Al 32e O"),
        (FD3M, named("F d -3 m Z"), SPINEL, "8a Mg 16d Al 32e O"),
        (FD3M, named("F d -3 m O2"), SPINEL, "8a Mg 16d Al 32e O"),
        (FD3M, named("F d -3 m:1"), SPINEL_1, "8a Mg 16d Al 32e O"),
        (FD3M, named("F d -3 m S"), SPINEL_1, "8a Mg 16d Al 32e O"),
        (FD3M, f"{HALL} '-F 4vw 2vw 3'", SPINEL, "8a Mg 16d Al 32e O"),
        (FD3M, f"{HALL} 'F 4d 2 3 -1d'", SPINEL_1, "8a Mg 16d Al 32e O"),
        (SI, named("F d -3 m :1", 227), "Si1 Si 0 0 0", "8a Si"),
        (RHOMBOHEDRAL, named("R -3 c", 167), CORUNDUM, "12c Al 18e O"),
        (RHOMBOHEDRAL, named("R -3 c:R"), CORUNDUM, "12c Al 18e O"),
        (RHOMBOHEDRAL, "_space_group_IT_number 167", CORUNDUM, "12c Al 18e O"),
        ("4.759 4.759 12.991 90 90 120", named("R -3 c:H"), CORUNDUM_H, "12c Al 18e O"),
        ("4.759 4.759 12.991 90 90 120", named("R3(-)c", 167), CORUNDUM_H, "12c Al 18e O"),
        (CUBIC, "_space_group_IT_number 225", NACL, "4a Na 4b Cl"),
        ("4.8 4.8 13.0 90 90 120", named("R 3 2"), "Al1 Al 0.3 0 0\nO1 O 0.2 0 0.5", "9d Al 9e O"),
        ("4.8 4.8 13.0 90 90 120", named("R 3 2 H"), "Al1 Al .3 0 0\nO1 O .2 0 .5", "9d Al 9e O"),
        (CUBIC, named("not a symbol", 225), NACL, "4a Na 4b Cl"),
    ],
)
def test_the_setting_that_is_named(cell, symmetry, atoms, sites):
    assert read(write_cif(cell, symmetry, atoms))[0] == sites


@pytest.mark.parametrize(
    ("cell", "symmetry", "atoms", "sites", "setting"),
    [
        (SI, named("F d -3 m", 227), "Si1 Si 0.125 0.125 0.125", "8a Si", ":2"),
        (SI, named("F d -3 m", 227), "Si1 Si 0 0 0", "8a Si", ":1"),
        (
            "3.785 3.785 9.514 90 90 90",
            named("I 41/a m d", 141),
            "Ti1 Ti 0 0.75 0.125\nO1 O 0 0.75 0.3331",
            "4a Ti 8e O",
            ":2",
        ),
    ],
)
def test_the_setting_that_is_left_open(cell, symmetry, atoms, sites, setting):
    found, notes = read(write_cif(cell, symmetry, atoms))
    assert found == sites
    assert len(notes) == 1 and notes[0].endswith(setting)


def test_symmetry_that_does_not_fit():
    with pytest.raises(CrystalError, match="the cell does not fit the space group F m -3 m"):
        read(write_cif("5.64 5.64 6.64 90 90 90", named("F m -3 m"), NACL))
    with pytest.raises(CrystalError, match="the space group 'Q 7' is unknown"):
        read(write_cif(CUBIC, named("Q 7"), NACL))
    listed = "loop_\n_space_group_symop_operation_xyz\n'x,y'"
    with pytest.raises(CrystalError, match="the operator 'x,y' cannot be read"):
        read(write_cif(CUBIC, listed, NACL))
    found, notes = read(write_cif(CUBIC, "", NACL))
    assert notes == ["it has no space group and no symmetry operators; read as P 1"]


def test_operators_that_are_not_those_of_the_symbol():
    listed = "loop_\n_space_group_symop_operation_xyz\n'x,y,z'\n'-x,-y,-z'\n"
    found, notes = read(write_cif(CUBIC, listed + named("F m -3 m"), NACL))
    assert "Na" in found
    assert notes == [
        "2 operators are listed, but the space group F m -3 m has 192; the listed operators were "
        "used"
    ]


@pytest.mark.parametrize(
    ("symbol", "atoms", "formula", "sites"),
    [
        (
            "P 63/m m c",
            "Si1 Si 0.2343 0.4688 0.0500\nO1 O 0.1115 0.2228 0.0500",
            "Si12 O12",
            "12k Si 12k O",
        ),
        ("P 63/m m c", "Si1 Si 0.23 0.47 0.05\nO1 O 0.11 0.22 0.05", "Si O", "12k Si 12k O"),
        ("P 63/m m c", "Mo1 Mo 0.333 0.667 0.25\nS1 S 0.333 0.667 0.621", "Mo S2", "2c Mo 4f S"),
        ("P 63/m m c", "Mo1 Mo 0.33 0.67 0.25\nS1 S 0.33 0.67 0.62", "Mo S2", "2c Mo 4f S"),
        ("P 63/m m c", "Mo1 Mo 0.3333 0.6666 .25\nS1 S 0.3333 0.6666 .621", None, "2c Mo 4f S"),
        ("P 63/m m c", "Mo1 Mo 1/3 2/3 1/4\nS1 S 1/3 2/3 0.62134567", None, "2c Mo 4f S"),
        (
            "P 63/m m c",
            "Mo1 Mo 0.3333(2) .6667(2) .25\nS1 S .3333 .6667 .6212345",
            None,
            "2c Mo 4f S",
        ),
    ],
)
def test_rounded_coordinates_of_special_positions(symbol, atoms, formula, sites):
    extra = f"_chemical_formula_sum '{formula}'" if formula else ""
    assert read(write_cif(HEXAGONAL, named(symbol), atoms, extra=extra)) == (sites, [])


def test_split_sites_near_a_special_position_stay_apart():
    atoms = "Na1 Na 0 0 0 1\nCl1 Cl 0.5213 0.5 0.5 0.5"
    cell = "8.0 8.0 8.0 90 90 90"
    crystal = read_crystal(write_cif(cell, named("P -1"), atoms, columns=OCCUPANCY))
    assert len(crystal.kinds) == 3
    assert crystal.composition == {"Na": 1.0, "Cl": 1.0}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("_chemical_formula_sum 'Na Cl2'", "the amount of .* differs"),
        ("_chemical_formula_sum 'Na K Cl'", "K is not among the atoms"),
        ("_chemical_formula_sum 'Na'", "Cl is not in the formula"),
        ("_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 2", "2 formula units 'Na Cl'"),
    ],
)
def test_the_formula_of_the_file_is_compared(extra, message):
    with pytest.raises(CrystalError, match=message):
        read(write_cif(CUBIC, named("F m -3 m"), NACL, extra=extra))


@pytest.mark.parametrize(
    "extra",
    [
        "_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 4",
        "_chemical_formula_sum 'Cl4 Na4'\n_cell_formula_units_Z 4",  # as pymatgen writes it
        "_chemical_formula_sum NaCl",
        "_chemical_formula_sum ?\n_cell_formula_units_Z ?",
        "_chemical_formula_sum 'Na1.00 Cl1.004'",
        "_chemical_formula_sum 'a salt'",
    ],
)
def test_formulas_that_agree_or_say_nothing(extra):
    assert read(write_cif(CUBIC, named("F m -3 m"), NACL, extra=extra)) == ("4a Na 4b Cl", [])


def test_a_small_difference_from_the_formula_is_noticed():
    atoms = "Na1 Na 0 0 0 0.95\nCl1 Cl .5 .5 .5 1"
    extra = "_chemical_formula_sum 'Na Cl'"
    text = write_cif(CUBIC, named("F m -3 m"), atoms, columns=OCCUPANCY, extra=extra)
    assert read(text)[1] == ["the atoms differ from the formula 'Na Cl' by 3 %"]
    with pytest.warns(UserWarning, match="the atoms differ from the formula 'Na Cl' by 3 %"):
        symmetry_string(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + "\n#END\n\x1a",
        lambda text: text.replace("_atom_site_fract", "_atom_site.fract").replace(
            "_cell_l", "_Cell_L"
        ),
        lambda text: text.replace("data_x", "data_x\n_note\n;\ndata_y\nloop_\n _z\n;\n"),
        lambda text: text.replace("data_x", "data_x\n_publ_author 'Müller'"),
        lambda text: text.replace("data_x", "data_global\n_journal_year 2001\ndata_x"),
        lambda text: text.replace("data_x", "data_x\n_journal_year 2001\n_journal_year 2002"),
        lambda text: text.replace(" 5.64\n", " 5.640(2)\n"),
        lambda text: "# written by hand\n\n" + text,
    ],
)
def test_what_a_cif_may_look_like(change):
    assert read(change(ROCK_SALT)) == ("4a Na 4b Cl", [])


def test_a_line_that_says_nothing_of_the_crystal_may_be_broken():
    text = ROCK_SALT.replace("data_x", "data_x\n_chemical_name_common Sodium chloride")
    found, notes = read(text)
    assert found == "4a Na 4b Cl"
    assert len(notes) == 1 and "invalid CIF lines" in notes[0]


def test_operators_may_be_those_of_a_magnetic_group():
    operators = (
        "loop_\n_space_group_symop_magn_operation.xyz\n'x,y,z,+1'\n'-x,-y,-z,-1'\n"
        "loop_\n_space_group_symop_magn_centering.xyz\n'x,y,z,+1'\n'x+1/2,y+1/2,z+1/2,-1'"
    )
    crystal = read_crystal(write_cif("3 3 3 90 90 90", operators, "Fe1 Fe 0 0 0"))
    np.testing.assert_allclose(np.sort(crystal.positions % 1, axis=0), [[0] * 3, [0.5] * 3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE html>\n<html>404 Not Found</html>", "a web page, not a CIF"),
        ("version https://git-lfs.github.com/spec/v1\nsize 1", "a Git LFS pointer"),
        ("some words\nand more", "no data block"),
        ("data_x\n_cell_length_a 4\n", "lists no atoms"),
        (ROCK_SALT[: ROCK_SALT.index("Na1 Na") + 7], "damaged at line 11: Wrong number of values"),
        (ROCK_SALT.replace("_cell_length_b 5.64", ""), "_cell_length_b is missing"),
        (ROCK_SALT.replace("_cell_length_b 5.64", "_cell_length_b -1"), "does not exist"),
        (ROCK_SALT.replace("gamma 90", "gamma 300"), "does not exist"),
        (
            ROCK_SALT.replace("gamma 90", "gamma 179.9").replace("beta 90", "beta 30"),
            "there is no cell with the angles",
        ),
        (
            ROCK_SALT + ROCK_SALT.replace("data_x", "data_y"),
            "2 crystals (x, y); keep the data block",
        ),
        (ROCK_SALT.replace("fract", "Cartn"), "Cartesian coordinates"),
        (ROCK_SALT.replace("-3 m'", "-3 m"), "damaged at line 8: unterminated"),
    ],
)
def test_texts_without_one_crystal(text, message):
    with pytest.raises(CrystalError) as caught:
        read(text)
    assert message in str(caught.value)


def test_the_readers_of_pymatgen_and_this_one_agree(crystals):
    for structure in crystals.values():
        assert symmetry_string(structure.to(fmt="cif")) == symmetry_string(structure)


def test_hydrogens_on_mixed_sites_survive_a_cif(crystals):
    structure = crystals["rock salt"].copy()
    structure.replace_species({"Na": {"H": 0.9, "O": 0.1}})
    assert symmetry_string(structure.to(fmt="cif")) == symmetry_string(structure)


def test_operators_with_factors():
    """pymatgen writes `2x-z` for the rotation in a skew cell."""
    crystal = read_crystal(
        "data_skew\n_cell_length_a 5\n_cell_length_b 5\n_cell_length_c 3\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 126.8699\n_cell_angle_gamma 90\nloop_\n_symmetry_equiv_pos_as_xyz\n"
        "'x, y, z'\n'x, -y, 2x-z'\nloop_\n_atom_site_type_symbol\n_atom_site_fract_x\n"
        "_atom_site_fract_y\n_atom_site_fract_z\nNa 0 0 0\nO 0.25 0.3 0.4\n"
    )
    assert crystal.composition == {"Na": 1.0, "O": 2.0}
