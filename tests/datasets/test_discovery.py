import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud import SymmetryStringTransformer
from sklearn_cloud.datasets import fetch_discovery

SUMMARY = "wbm/2023-12-13-wbm-summary.csv.gz"
STRUCTURES = "wbm/2022-10-19-wbm-init-structs.jsonl.gz"
HEADER = (
    "material_id,formula,n_sites,e_form_per_atom_mp2020_corrected,"
    "e_above_hull_mp2020_corrected_ppd_mp,unique_prototype\n"
)


def crystal(a):
    return Structure(Lattice.cubic(a), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("SKLEARN_CLOUD_DATA", raising=False)
    return tmp_path


def write_sample(home, rows=None, header=",cif,formation_energy_per_atom,band_gap"):
    if rows is None:
        rows = [f'{n},"{crystal(4 + n).to(fmt="cif")}",-{n}.5,0.{n}' for n in range(3)]
    return write(home / "discovery" / "wbm_10k.csv.gz", "\n".join([header, *rows]) + "\n")


def test_reconstruction(home):
    write_sample(home)
    wbm = fetch_discovery(data_home=home)
    assert wbm.structures.shape == (3,) and "CsCl" in wbm.structures[1]
    assert wbm.compositions.tolist() == ["Cs1 Cl1"] * 3
    assert wbm.target.tolist() == [-0.5, -1.5, -2.5] and wbm.band_gap.tolist() == [0.0, 0.1, 0.2]
    assert wbm.ids.tolist() == ["wbm-10k-00001", "wbm-10k-00002", "wbm-10k-00003"]
    assert wbm.is_reconstruction and wbm.coverage is None and wbm.unit == "eV/atom"
    assert wbm.DESCR.startswith("Reconstruction") and "e_above_hull" not in wbm
    strings = SymmetryStringTransformer(parts=["sites"], sites="set").fit_transform(wbm.structures)
    assert strings.tolist() == ["1a 1b"] * 3


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["0,x"], ",cif", "lacks the column"),
        ([], ",cif,formation_energy_per_atom,band_gap", "is empty"),
        (["0,x,1"], ",cif,formation_energy_per_atom,band_gap", "incomplete row"),
        (["0,x,1,2"], ",cif,formation_energy_per_atom,band_gap", "wbm-10k-00001 is not CIF text"),
        (
            ["0,\"_chemical_formula_sum 'Cs1 Cl1'\n\",none,2"],
            ",cif,formation_energy_per_atom,band_gap",
            "formation_energy_per_atom of wbm-10k-00001 is 'none'",
        ),
        (
            ["0,\"_chemical_formula_sum 'Cs1 Cl1'\n\",1,nan"],
            ",cif,formation_energy_per_atom,band_gap",
            "band_gap of wbm-10k-00001 is not a finite number",
        ),
    ],
)
def test_bad_sample(home, rows, header, message):
    write_sample(home, rows, header)
    with pytest.raises(ValueError, match=message):
        fetch_discovery(data_home=home)


def test_damaged_sample(home):
    path = write_sample(home)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="is damaged"):
        fetch_discovery(data_home=home)


def write_official(home, rows=("wbm-1-1,CsCl,2,-1.5,-0.1,True", "wbm-1-2,Cs2,2,0.25,0.3,False")):
    return write(home / SUMMARY, HEADER + "\n".join(rows) + "\n")


def write_structures(home, names):
    lines = [
        json.dumps({"material_id": name, "initial_structure": crystal(4 + n).as_dict()})
        for n, name in enumerate(names)
    ]
    return write(home / STRUCTURES, "\n".join(lines) + "\n")


def test_official_summary(home):
    write_official(home)
    wbm = fetch_discovery("official", data_home=home)
    assert wbm.ids.tolist() == ["wbm-1-1", "wbm-1-2"]
    assert wbm.target.tolist() == [-1.5, 0.25] and wbm.e_above_hull.tolist() == [-0.1, 0.3]
    assert wbm.unique_prototype.tolist() == [True, False]
    assert wbm.unique_prototype.dtype == bool
    assert wbm.coverage == 2 / 256_963 and not wbm.is_reconstruction
    assert "crystals" not in wbm


def test_official_structures_follow_the_summary(home):
    write_official(home)
    write_structures(home, ["wbm-1-2", "wbm-9-9", "wbm-1-1"])
    wbm = fetch_discovery("official", data_home=home)
    assert [c.lattice.a for c in wbm.structures] == [6.0, 4.0]
    assert wbm.structures[0] == crystal(6)


def test_official_structures_must_be_complete(home):
    write_official(home)
    write_structures(home, ["wbm-1-2"])
    with pytest.raises(ValueError, match="lacks 1 crystals of the summary, e.g. wbm-1-1"):
        fetch_discovery("official", data_home=home)
    write(home / STRUCTURES, '{"material_id": "wbm-1-1"}\n')
    with pytest.raises(ValueError, match="init-structs.jsonl.gz is damaged"):
        fetch_discovery("official", data_home=home)


def test_newest_summary_is_taken(home):
    write(home / "2022-10-19-wbm-summary.csv.gz", HEADER + "wbm-1-1,CsCl,2,-9,-0.1,True\n")
    write(home / "2023-12-13-wbm-summary.csv.gz", HEADER + "wbm-1-1,CsCl,2,-1,-0.1,True\n")
    assert fetch_discovery("official", data_home=home).target.tolist() == [-1.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["wbm-1-1,CsCl,2,-1,0,True"] * 2, "duplicates in the column material_id"),
        (["wbm-1-1,CsCl,2,-1,0,maybe"], "unique_prototype must be True or False"),
        (["wbm-1-1,CsCl,2,,0,True"], "of wbm-1-1 is ''"),
    ],
)
def test_bad_summary(home, rows, message):
    write_official(home, rows)
    with pytest.raises(ValueError, match=message):
        fetch_discovery("official", data_home=home)


def test_missing_files_are_named(home):
    with pytest.raises(FileNotFoundError, match="discovery/wbm_10k.csv.gz"):
        fetch_discovery(data_home=home)
    with pytest.raises(FileNotFoundError, match="wbm-summary.csv.gz .*figshare"):
        fetch_discovery("official", data_home=home)
    with pytest.raises(ValueError, match="must be 'reconstruction' or 'official', got 'new'"):
        fetch_discovery("new", data_home=home)


def test_real_sample():
    home = Path(os.environ.get("SKLEARN_CLOUD_DATA") or "none")
    if not (home / "discovery/wbm_10k.csv.gz").is_file():
        pytest.skip("needs discovery/wbm_10k.csv.gz in SKLEARN_CLOUD_DATA")
    wbm = fetch_discovery(data_home=home)
    assert len(wbm.structures) == len(set(wbm.ids)) == 10_000
    assert -5 < wbm.target.min() < np.median(wbm.target) < 0 < wbm.target.max() < 5
