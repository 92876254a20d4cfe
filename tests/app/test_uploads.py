import os

import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.app import uploads
from sklearn_cloud.app.uploads import Upload, UploadLimits, clean_name, read_examples, read_uploads
from sklearn_cloud.crystals import Crystal, Formula

CSCL = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
XYZ = '1\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3\nPo 0 0 0\n'


def upload(name, text=None):
    return Upload(name, (CSCL.to(fmt="cif") if text is None else text).encode())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CsCl.cif", CSCL.to(fmt="cif")),
        ("CSCL.CIF", CSCL.to(fmt="cif")),
        ("POSCAR", CSCL.to(fmt="poscar")),
        ("CONTCAR_2", CSCL.to(fmt="poscar")),
        ("x.vasp", CSCL.to(fmt="poscar")),
        ("x.json", CSCL.to_json()),
        ("x.xsf", CSCL.to(fmt="xsf")),
    ],
)
def test_kinds_of_files(name, text):
    (entry,) = read_uploads([upload(name, text)])
    assert (entry.name, entry.problem) == (name, "")
    assert isinstance(entry.crystal, Crystal)
    assert entry.crystal.composition == {"Cs": 1.0, "Cl": 1.0}


def test_files_with_several_crystals():
    pytest.importorskip("ase")
    two = CSCL.to(fmt="cif") + CSCL.to(fmt="cif").replace("data_CsCl", "data_again")
    found = read_uploads([upload("two.cif", two), upload("path.xyz", XYZ * 3)])
    assert [entry.name for entry in found] == [
        "two.cif, 1", "two.cif, 2", "path.xyz, 1", "path.xyz, 2", "path.xyz, 3",
    ]  # fmt: skip
    assert all(entry.problem == "" for entry in found)


def test_bad_rows_say_why_and_the_others_are_read():
    files = [
        upload("broken.cif", "data_x\nloop_\n"),
        upload("good.cif"),
        upload("empty.cif", ""),
        upload("notes.txt", "hello"),
        upload("NaCl.cif.gz"),
        upload("list.json", "[1, 2]"),
    ]
    found = {entry.name: entry for entry in read_uploads(files, "NaCl\nXx2\n\n Fe2O3, MgO ")}
    assert [name for name, entry in found.items() if not entry.problem] == [
        "good.cif", "NaCl", "Fe2O3", "MgO",
    ]  # fmt: skip
    assert isinstance(found["NaCl"].crystal, Formula)
    for name, reason in {
        "broken.cif": "cannot be read as a crystal",
        "empty.cif": "empty",
        "notes.txt": "unknown kind of file",
        "NaCl.cif.gz": "unpack it first",
        "list.json": "unknown form",
        "Xx2": "not one of the 118 elements",
    }.items():
        assert reason in found[name].problem and not found[name].problem.startswith("'")
        assert found[name].crystal is None
        assert "sklearn-cloud-" not in found[name].problem  # the folder here


def test_no_file_outside_the_upload_is_read(tmp_path, monkeypatch):
    """Paths as names, formulas or cells: the file that they name is a good crystal."""
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "secret.cif"
    target.write_text(CSCL.to(fmt="cif"))
    (tmp_path / "NaCl").write_text(CSCL.to(fmt="cif"))
    path = str(target)
    cells = [{"cif": path}, {"structure": path}, {"file": path}, {"atoms": {"structure": path}}]
    files = [upload(f"{number}.json", str([cell]).replace("'", '"')) for number, cell in
             enumerate(cells)]  # fmt: skip
    files += [upload(path, ""), upload("../secret.cif", ""), upload("x.json", f'"{path}"')]
    found = read_uploads(files, f"{path}\nsecret.cif")
    assert len(found) == len(files) + 2
    assert [entry.crystal for entry in found] == [None] * len(found)
    (entry,) = read_uploads([], "NaCl")
    assert entry.crystal == Formula((("Cl", 1.0), ("Na", 1.0)))


def test_files_are_written_under_names_chosen_here(monkeypatch):
    seen = []

    def look(path, suffix):
        seen.append((path.name, os.listdir(path.parent)))
        return [path]

    monkeypatch.setattr(uploads, "_crystals_of", look)
    read_uploads([upload("../../../tmp/evil.cif"), upload("a\0b.CIF"), upload("..\\POSCAR")])
    assert seen == [(name, [name]) for name in ("upload.cif", "upload.cif", "upload.vasp")]


def test_limits():
    limits = UploadLimits(files=2, megabytes=1, crystals=4)
    files = [upload("big.cif", " " * 1_000_001), upload("a.cif"), upload("b.cif"), upload("c.cif")]
    big, good, rest = read_uploads(files, limits=limits)
    assert "1.0 MB, more than 1" in big.problem
    assert good.crystal is not None
    assert (rest.name, rest.crystal) == ("2 more files", None)
    assert "only 2 files" in rest.problem
    found = read_uploads([], "H2\nO2\nN2\nCl2\nF2\nBr2", limits)
    assert [entry.crystal is None for entry in found] == [False] * 4 + [True]
    assert "only 4 crystals" in found[-1].problem


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/NaCl.cif", "NaCl.cif"),
        ("C:\\files\\NaCl.cif", "NaCl.cif"),
        ("=cmd|'/c calc'!A1", "c calc'!A1"),
        ("=1+1.cif", "'=1+1.cif"),
        ("@x.cif", "'@x.cif"),
        ("a\nb\x00\u202e.cif", "ab.cif"),
        ("x" * 100, "x" * 77 + "..."),
        ("", "file without a name"),
    ],
)
def test_names_are_only_shown(name, shown):
    assert clean_name(name) == shown


def test_examples():
    found = read_examples()
    assert len({entry.name for entry in found}) == len(found) >= 3
    assert all(isinstance(entry.crystal, Crystal) for entry in found)
