"""Files of every format, one crystal each, and folders of them."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest
from own_files import cscl, optimade, write_json

from sklearn_cloud import CrystalError, symmetry_string
from sklearn_cloud.crystals.collection import collect_file
from sklearn_cloud.crystals.crystal_files import read_text, search_folder, split_cif, suffix_of
from sklearn_cloud.crystals.parquet_files import find_row_groups

EXPECTED = symmetry_string(cscl("Na"))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("NaCl.cif", ".cif"),
        ("NaCl.CIF.gz", ".cif"),
        ("POSCAR", ".vasp"),
        ("CONTCAR.xz", ".vasp"),
        ("POSCAR_relaxed", ".vasp"),
        ("POSCAR-JVASP-1.vasp", ".vasp"),
        ("contcar.extxyz", ".extxyz"),
        ("table.csv.gz", ".csv"),
        ("notes.tar.gz", ".tar"),
    ],
)
def test_suffix(name, suffix):
    assert suffix_of(name) == suffix


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        ("POSCAR", "poscar"),
        ("CONTCAR", "poscar"),
        ("a.vasp", "poscar"),
        ("a.xsf", "xsf"),
        ("a.json", "json"),
        ("a.mcif", "mcif"),
    ],
)
@pytest.mark.parametrize("as_string", [True, False])
def test_formats(name, fmt, as_string, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    crystal = cscl("Na")
    if fmt == "mcif":  # a CIF with moments, which do not count
        crystal.add_site_property("magmom", [1.0, 0.0])
        Path(name).write_text(crystal.to(fmt="cif"))
    else:
        Path(name).write_text(crystal.to(fmt=fmt))
    assert symmetry_string(name if as_string else Path(name)) == EXPECTED


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)],
)
def test_compressed_files(suffix, compress, tmp_path):
    for name, fmt in (("a.cif", "cif"), ("POSCAR", "poscar")):
        path = tmp_path / f"{name}{suffix}"
        path.write_bytes(compress(cscl("Na").to(fmt=fmt).encode()))
        assert symmetry_string(str(path)) == EXPECTED
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(CrystalError, match=f"{path.name}.* is damaged or truncated"):
            symmetry_string(path)


def test_files_of_ase(tmp_path):
    ase = pytest.importorskip("ase")
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms = ase.Atoms(AseAtomsAdaptor.get_atoms(cscl("Na")))
    for name, fmt in (("a.extxyz", "extxyz"), ("b.xyz", "extxyz"), ("c.traj", "traj"),
                      ("d.json", "json")):  # fmt: skip
        atoms.write(tmp_path / name, format=fmt)
        assert symmetry_string(tmp_path / name) == EXPECTED
    ase.io.write(tmp_path / "two.extxyz", [atoms, atoms])
    with pytest.raises(CrystalError, match="two.extxyz' contains 2 crystals: read all of them"):
        symmetry_string(tmp_path / "two.extxyz")


def test_missing_ase_is_explained(tmp_path, monkeypatch):
    import sys

    (tmp_path / "a.extxyz").write_text("1\n\nH 0 0 0\n")
    monkeypatch.setitem(sys.modules, "ase", None)
    with pytest.raises(ImportError, match=r"sklearn-cloud\[ase\]"):
        symmetry_string(tmp_path / "a.extxyz")


def test_json_files_with_something_around_the_crystal(tmp_path):
    structure = cscl("Na").as_dict()
    contents = [
        structure,
        [structure],
        {"data": [{"structure": structure, "material_id": "mp-1"}]},
        {"@class": "ComputedStructureEntry", "energy": -1.0, "structure": structure},
        {"data": optimade("Na")},
        {"data": [optimade("Na")], "meta": {}},
    ]
    for number, content in enumerate(contents):
        path = write_json(tmp_path / f"{number}.json", content)
        assert symmetry_string(path) == EXPECTED
    path = write_json(tmp_path / "two.json", [structure, structure])
    with pytest.raises(CrystalError, match="contains 2 crystals"):
        symmetry_string(path)
    path = write_json(tmp_path / "none.json", {"a": 1})
    with pytest.raises(CrystalError, match="none.json"):
        symmetry_string(path)


def test_an_entry_is_not_decoded(tmp_path):
    """Nothing that a file names is imported or made."""
    structure = cscl("Na").as_dict()
    structure["properties"] = {"@module": "os", "@class": "system", "command": "false"}
    record = {"@module": "subprocess", "@class": "Popen", "structure": structure}
    assert symmetry_string(write_json(tmp_path / "a.json", record)) == EXPECTED


def test_folder(tmp_path):
    for name in ("b.cif", "a.CIF", ".hidden.cif", "._a.cif", "deep/POSCAR", "deep/x.cif.gz",
                 ".ipynb_checkpoints/a.cif", "__MACOSX/a.cif", "notes.txt", "a.json"):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    files, others = search_folder(tmp_path)
    found = [str(file.relative_to(tmp_path)) for file in files]
    assert found == ["a.CIF", "b.cif", "deep/POSCAR", "deep/x.cif.gz"]
    assert others == [".json", ".txt"]


def test_folder_of_json_files(tmp_path):
    for name in ("a.json", "b.json.gz", "readme.md"):
        (tmp_path / name).write_text("{}")
    files, others = search_folder(tmp_path)
    assert [file.name for file in files] == ["a.json", "b.json.gz"]
    assert others == [".md"]


def test_the_relaxed_crystal_of_a_calculation_counts(tmp_path):
    for run in ("done", "failed"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "POSCAR").write_text("x")
    (tmp_path / "done/CONTCAR").write_text("x")
    (tmp_path / "failed/CONTCAR").touch()
    files, _ = search_folder(tmp_path)
    found = [str(file.relative_to(tmp_path)) for file in files]
    assert found == ["done/CONTCAR", "failed/POSCAR"]


def test_folder_without_crystals(tmp_path):
    with pytest.raises(ValueError, match="no crystal files in .*: it is empty"):
        search_folder(tmp_path)
    (tmp_path / "a.pdb").touch()
    with pytest.raises(
        ValueError, match=r"no crystal files in .*\(.pdb\). Crystal files end in .cif"
    ):
        search_folder(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        search_folder(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"<!DOCTYPE html>\n<html><body>404", "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        (b"caf\xe9", "is not UTF-8 text"),
    ],
)
def test_files_that_are_something_else(content, message, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(CrystalError, match=f"t.csv' {message}|t.csv' .*{message}"):
        read_text(path)


@pytest.mark.parametrize("name", ["t.parquet", "t.db", "t.csv.gz", "t.xlsx"])
def test_pointers_instead_of_binary_files(name, tmp_path):
    from sklearn_cloud.crystals.table_files import read_table

    (tmp_path / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0")
    with pytest.raises(CrystalError, match=f"{name}' is a Git LFS pointer"):
        read_table(tmp_path / name)
    cif = tmp_path / "a.cif.gz"
    (tmp_path / name).rename(cif)
    with pytest.raises(CrystalError, match="a.cif.gz' is a Git LFS pointer"):
        symmetry_string(cif)


def test_a_small_file_that_unpacks_to_a_large_one(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_cloud.crystals.reading.LARGEST_FILE", 10_000)
    path = tmp_path / "a.cif.gz"
    path.write_bytes(gzip.compress(cscl("Na").to(fmt="cif").encode() + b"# x\n" * 10_000))
    with pytest.raises(CrystalError, match="more than 10000 bytes"):
        symmetry_string(path)


def test_a_large_file_with_several_crystals(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_cloud.crystals.collection.LARGEST_FILE", 10_000)
    path = tmp_path / "a.cif.gz"
    path.write_bytes(gzip.compress(cscl("Na").to(fmt="cif").encode() + b"# x\n" * 10_000))
    with pytest.raises(CrystalError, match="more than 10000 bytes: split it"):
        collect_file(path)


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    "name",
    ["a.cif", "a.cif.gz", "a.csv", "a.json", "a.jsonl", "a.xyz", "a.db", "a.xlsx", "a.parquet"],
)
def test_pipes_and_devices_are_no_files(name, kind, tmp_path):
    """They might never end."""
    path = tmp_path / name
    if kind == "device":
        path.symlink_to("/dev/null")
    else:
        os.mkfifo(path)
    with pytest.raises(CrystalError, match="not a regular file"):
        collect_file(path)


def test_a_pipe_is_no_parquet_file(tmp_path):
    os.mkfifo(tmp_path / "a.parquet")
    with pytest.raises(CrystalError, match="not a regular file"):
        find_row_groups(tmp_path / "a.parquet")


def test_encodings(tmp_path):
    path = tmp_path / "t.csv"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text("Größe", encoding=encoding)
        assert read_text(path) == "Größe"
    assert read_text(path, strict=False) == "Größe"


def test_blocks_of_a_cif():
    first, second = cscl("Na").to(fmt="cif"), cscl("K").to(fmt="cif")
    text = f"data_global\n_journal x\n;\ndata_in_text\n_atom_site_label\n;\n{first}{second}"
    assert [name for name, _ in split_cif(text)] == ["NaCl", "KCl"]
    assert symmetry_string(split_cif(text)[1][1]) == symmetry_string(cscl("K"))
