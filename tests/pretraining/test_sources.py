import bz2
import gzip
import lzma

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.pretraining.corpus_sources import (
    read_cif_folder,
    read_structure_table,
    read_symmetry_table,
)
from sklearn_cloud.symmetry import symmetry_string

HEADER = "id\tspecies\tlattice\tpositions\n"
CSCL = "a\tCs1 Cl1\t4 0 0 0 4 0 0 0 4\t0 0 0 .5 .5 .5\n"
POLONIUM = "b\tPo\t3.3 0 0 0 3.3 0 0 0 3.3\t0 0 0\n"
COLUMNS = "source,id,cell_formula,space_group,wyckoff_letters\n"
RECORD = "icsd,1,O3SrTi,221,1a 1b 3c\n"

OPENERS = {"": open, ".xz": lzma.open, ".gz": gzip.open, ".bz2": bz2.open}


def write(path, text):
    with OPENERS[path.suffix if path.suffix in OPENERS else ""](path, "wt") as file:
        file.write(text)
    return path


@pytest.mark.parametrize("suffix", OPENERS)
def test_structure_table(suffix, tmp_path):
    path = write(tmp_path / f"crystals.tsv{suffix}", HEADER + CSCL + POLONIUM)
    (name, cscl), (second, polonium) = read_structure_table(path)
    assert (name, second) == ("a", "b")
    np.testing.assert_array_equal(cscl.lattice, np.eye(3) * 4)
    np.testing.assert_array_equal(cscl.positions, [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert cscl.composition == {"Cs": 1.0, "Cl": 1.0}
    assert polonium.composition == {"Po": 1.0}


def test_species_runs_are_in_site_order(tmp_path):
    line = "a\tO2 Ti1 O1\t4 0 0 0 4 0 0 0 4\t" + " ".join(str(i / 12) for i in range(12))
    ((_, crystal),) = read_structure_table(write(tmp_path / "t.tsv", HEADER + line + "\n"))
    assert [crystal.species[kind][0][0] for kind in crystal.kinds] == ["O", "O", "Ti", "O"]
    assert crystal.positions[2].tolist() == [6 / 12, 7 / 12, 8 / 12]


@pytest.mark.parametrize(
    "line",
    [
        "b\tPo1\t1 0 0 0 1 0 0 0 1",
        "b\tpo1\t3 0 0 0 3 0 0 0 3\t0 0 0",
        "b\tPo2\t3 0 0 0 3 0 0 0 3\t0 0 0",
        "b\tPo1\t3 0 0 0 3 0 0 0\t0 0 0",
        "b\tPo1\t3 0 0 0 3 0 0 0 x\t0 0 0",
        "",
    ],
)
def test_malformed_crystal_names_the_line(line, tmp_path):
    path = write(tmp_path / "t.tsv", HEADER + CSCL + line + "\n" + POLONIUM)
    with pytest.raises(ValueError, match="line 3 of .*t.tsv' is not a valid crystal"):
        list(read_structure_table(path))


@pytest.mark.parametrize("suffix", OPENERS)
def test_symmetry_table(suffix, tmp_path):
    text = COLUMNS + RECORD + "mp,x,C2H4C,14,4e 4e\n"
    first, second = read_symmetry_table(write(tmp_path / f"records.csv{suffix}", text))
    assert first == ("icsd/1", ({"O": 3.0, "Sr": 1.0, "Ti": 1.0}, 221, ("a", "b", "c")))
    assert second == ("mp/x", ({"C": 3.0, "H": 4.0}, 14, ("e", "e")))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("icsd,2,NaCl,two,4a 4b", "invalid literal"),
        ("icsd,2,Na(Cl)2,225,4a 8c", "is not a formula"),
        ("icsd,2,Na0.5Cl0.5,225,4a", "is not a formula"),
        ("icsd,2,,225,4a", "is not a formula"),
        ("icsd,2,NaCl", "no space_group, wyckoff_letters"),
    ],
)
def test_malformed_record_names_the_line(line, message, tmp_path):
    path = write(tmp_path / "t.csv", COLUMNS + RECORD + line + "\n")
    with pytest.raises(ValueError, match=f"line 3 of .*{message}"):
        list(read_symmetry_table(path))


def test_missing_column_is_named(tmp_path):
    path = write(tmp_path / "t.csv", "source,id,formula\nicsd,1,NaCl\n")
    with pytest.raises(ValueError, match="cell_formula, space_group, wyckoff_letters"):
        list(read_symmetry_table(path))


@pytest.mark.parametrize("suffix", [".xz", ".gz", ".bz2"])
def test_file_cut_short_is_damaged(suffix, tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"icsd,{rng.integers(10**9)},NaCl,225,4a 4b\n" for _ in range(2000)]
    path = write(tmp_path / f"t.csv{suffix}", COLUMNS + "".join(lines))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="is damaged"):
        list(read_symmetry_table(path))


def test_cif_folder_gives_files_that_are_not_read_yet(tmp_path):
    rock_salt = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    cscl = Structure(Lattice.cubic(4.1), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    (tmp_path / "deep").mkdir()
    rock_salt.to(filename=str(tmp_path / "deep" / "b.cif"))
    (tmp_path / "a.CIF").write_text(cscl.to(fmt="cif"))
    (tmp_path / "broken.cif").write_text("data_x\nnonsense")
    (tmp_path / "notes.txt").write_text("no crystal")
    (tmp_path / "._a.cif").write_text("what macOS leaves")
    found = dict(read_cif_folder(tmp_path))
    assert list(found) == ["a.CIF", "broken.cif", "deep/b.cif"]
    assert found["broken.cif"] == tmp_path / "broken.cif"
    assert symmetry_string(found["deep/b.cif"]) == symmetry_string(rock_salt)


def test_folder_without_cif_files(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ValueError, match="no crystal files in|no folder"):
            list(read_cif_folder(folder))
