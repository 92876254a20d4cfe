import pytest
from pymatgen.io.vasp import Poscar

from sklearn_cloud import CrystalError, symmetry_string
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.crystals.poscar import looks_like_poscar

SALT = """{comment}
1.0
5.64 0 0
0 5.64 0
0 0 5.64
{symbols}4 4
{mode}
0 0 0
0.5 0.5 0
0.5 0 0.5
0 0.5 0.5
.5 .5 .5
0 0 .5
0 .5 0
.5 0 0
"""


def salt(comment="rock salt", symbols="Na Cl\n", mode="Direct"):
    return SALT.format(comment=comment, symbols=symbols, mode=mode)


@pytest.mark.parametrize(
    "text",
    [
        salt(),
        salt(symbols="Na_pv/ Cl/\n"),
        salt(symbols="Na_pv/7ad45bf Cl/abc\n"),
        salt(mode="Selective dynamics\nDirect"),
        salt().replace("1.0\n", f"{-(5.64**3)}\n", 1),
        salt().replace("5.64", "2.82").replace("1.0\n", "2.0\n", 1),
    ],
)
def test_rock_salt(text, crystals, tmp_path):
    expected = symmetry_string(crystals["rock salt"])
    assert looks_like_poscar(text)
    assert symmetry_string(text) == expected
    for name in ("POSCAR", "CONTCAR", "POSCAR.relaxed", "salt.vasp"):
        (tmp_path / name).write_text(text)
        assert symmetry_string(str(tmp_path / name)) == expected
        assert symmetry_string(tmp_path / name) == expected


def test_cartesian_coordinates(crystals):
    for structure in crystals.values():
        text = Poscar(structure).get_str(direct=False, significant_figures=12)
        assert symmetry_string(text) == symmetry_string(structure)
    doubled = salt(mode="Cartesian").replace("1.0\n", "5.64\n", 1).replace("5.64 ", "1 ", 1)
    doubled = doubled.replace("0 5.64 0", "0 1 0").replace("0 0 5.64", "0 0 1")
    assert symmetry_string(doubled) == symmetry_string(crystals["rock salt"])


def test_files_without_elements():
    with pytest.raises(CrystalError, match="does not name the elements .VASP 4"):
        read_crystal(salt(symbols=""))
    notes = []
    assert read_crystal(salt(comment="Na Cl", symbols=""), notes).composition == {"Na": 4, "Cl": 4}
    assert notes == ["the elements were read from the comment line of the POSCAR (VASP 4)"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (salt(symbols="Na Qq\n"), "contains 'Qq'"),
        (salt().replace("4 4", "4 5"), "coordinates of only 8 of 9 atoms"),
        (salt().replace("4 4", "4"), "expected the numbers of atoms of 2 elements"),
        (salt().replace("4 4", "99999999 4"), "too many"),
        (salt().replace("0.5 0.5 0\n", "0.5 half 0\n"), "not a valid POSCAR.*half"),
        (salt().replace("0 5.64 0", "0 0 0"), "no volume"),
        ("", "not a valid POSCAR"),
    ],
)
def test_damaged_files(text, message, tmp_path):
    path = tmp_path / "POSCAR"
    path.write_text(text)
    with pytest.raises(CrystalError, match=message) as caught:
        read_crystal(path)
    assert "POSCAR' cannot be read as a crystal" in str(caught.value)
