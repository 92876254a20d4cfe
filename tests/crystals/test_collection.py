"""read_crystals: crystals, ids and targets from whatever people have."""

import csv
import gzip
import json
import sys

import numpy as np
import pandas as pd
import pytest
from own_files import cscl, jarvis, optimade, write_json

from sklearn_cloud import CrystalError, SymmetryStringTransformer, symmetry_string
from sklearn_cloud.datasets import read_crystals

STRUCTURES = [cscl("Na"), cscl("K")]
DICTS = [structure.as_dict() for structure in STRUCTURES]
EXPECTED = [symmetry_string(structure) for structure in STRUCTURES]
TABLE = {"columns": ["structure", "gap"], "index": ["mb-1", "mb-2"]}
TABLE["data"] = [[structure, gap] for structure, gap in zip(DICTS, [1.0, 2.0])]


def check(data, ids=("mb-1", "mb-2"), target=(1.0, 2.0)):
    """The crystals, ids and targets are right, and no structure is left in the frame."""
    assert SymmetryStringTransformer().transform(data.crystals).tolist() == EXPECTED
    assert list(map(str, data.ids)) == list(ids)
    if target is not None:
        assert data.target.tolist() == list(target)
    assert len(data.frame) == len(data.crystals)
    assert not {"structure", "atoms", "cif"} & set(data.frame.columns)
    return data


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_matbench_and_split_form(name, tmp_path):
    check(read_crystals(write_json(tmp_path / name, TABLE), "gap"))


@pytest.mark.parametrize("orient", ["columns", "index", "table", "records", "lists"])
def test_forms_of_pandas(orient, tmp_path):
    columns = {"structure": dict(zip(TABLE["index"], DICTS)), "gap": {"mb-1": 1.0, "mb-2": 2.0}}
    rows = [{"id": i, "structure": d, "gap": g} for i, d, g in zip(TABLE["index"], DICTS, (1, 2))]
    content = {
        "columns": columns,
        "index": {row["id"]: {k: v for k, v in row.items() if k != "id"} for row in rows},
        "table": {"schema": {"fields": []}, "data": rows},
        "records": rows,
        "lists": {key: [row[key] for row in rows] for key in rows[0]},
    }[orient]
    check(read_crystals(write_json(tmp_path / "a.json", content), "gap"))


def test_json_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"id": i, "structure": d, "gap": g} for i, d, g in zip(TABLE["index"], DICTS, (1, 2))]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    check(read_crystals(path, "gap"))
    path.write_text(path.read_text() + '{"structure": \n\n[1]\n')
    with pytest.raises(CrystalError, match="2 of 4 crystals") as caught:
        read_crystals(path, "gap")
    assert "row 3: the line is not a JSON record" in str(caught.value)
    assert "row 4: the line is not a JSON record: it is not a record" in str(caught.value)
    with pytest.warns(UserWarning, match="skipped 2 of 4 crystals"):
        check(read_crystals(path, "gap", on_error="warn"))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.tsv"])
def test_json_text_in_a_column(name, tmp_path):
    frame = pd.DataFrame(
        {"material_id": ["mb-1", "mb-2"], "structure": map(json.dumps, DICTS), "gap": [1.0, 2.0]}
    )
    frame.to_csv(tmp_path / name, index=False, sep="\t" if name == "a.tsv" else ",")
    check(read_crystals(tmp_path / name, "gap"))


def test_mp_20_style_csv(tmp_path):
    """An unnamed first column, ids, CIF text."""
    frame = pd.DataFrame(
        {
            "material_id": ["mb-1", "mb-2"],
            "pretty_formula": ["NaCl", "KCl"],
            "cif": [structure.to(fmt="cif") for structure in STRUCTURES],
            "band_gap": [1.0, 2.0],
        },
        index=[7, 9],
    )
    frame.to_csv(tmp_path / "train.csv")
    data = check(read_crystals(tmp_path / "train.csv", "band_gap"))
    assert data.frame[""].tolist() == ["7", "9"]


def test_semicolons(tmp_path):
    (tmp_path / "a.csv").write_text("id;formula;gap\na;NaCl;1\nb;KCl;2\n")
    data = read_crystals(tmp_path / "a.csv", "gap")
    assert data.ids.tolist() == ["a", "b"] and data.target.tolist() == [1, 2]


def test_parquet_with_structs(tmp_path):
    pytest.importorskip("pyarrow")
    # a field that only one row has becomes None in the other
    rows = [json.loads(json.dumps(d).replace('"properties": {}', '"label": "x"')) for d in DICTS]
    rows[1]["extra"] = {"note": "x"}
    frame = pd.DataFrame({"structure": rows, "gap": [1.0, 2.0]}, index=["mb-1", "mb-2"])
    frame.to_parquet(tmp_path / "a.parquet")
    check(read_crystals(tmp_path / "a.parquet", "gap"))


def test_excel_is_behind_its_library(tmp_path, monkeypatch):
    (tmp_path / "a.xlsx").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ImportError, match=r"sklearn-cloud\[excel\]"):
        read_crystals(tmp_path / "a.xlsx")


def test_excel(tmp_path):
    pytest.importorskip("openpyxl")
    (tmp_path / "bad.xlsx").write_bytes(b"anything")
    with pytest.raises(ValueError, match="is not an Excel file"):
        read_crystals(tmp_path / "bad.xlsx")
    frame = pd.DataFrame({"id": ["mb-1", "mb-2"], "formula": ["NaCl", None], "gap": [1.0, 2.0]})
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    with pytest.warns(UserWarning, match="row 2: the crystal is missing: the cell"):
        data = read_crystals(tmp_path / "a.xlsx", "gap", on_error="warn")
    assert data.ids.tolist() == ["mb-1"]


def test_servers_and_collections(tmp_path):
    answer = {"data": [optimade("Na"), optimade("K")], "meta": {"api_version": "1.1.0"}}
    data = check(read_crystals(answer, "_odbx_gap"), ["odbx/Na", "odbx/K"], [1.5, 1.5])
    assert "lattice_vectors" not in data.frame
    path = write_json(tmp_path / "jdft.json", [jarvis("Na"), jarvis("K")])
    check(read_crystals(path, "formation_energy_peratom"), ["JVASP-Na", "JVASP-K"], [-1, -1])
    docs = [
        {"material_id": f"mp-{i}", "structure": d, "band_gap": i, "symmetry": {"number": 221}}
        for i, d in enumerate(DICTS)
    ]
    data = read_crystals(write_json(tmp_path / "mp.json", {"data": docs}), "band_gap")
    assert data.ids.tolist() == ["mp-0", "mp-1"] and data.target.tolist() == [0, 1]


def test_python_objects(tmp_path):
    from pymatgen.entries.computed_entries import ComputedStructureEntry

    entries = [
        ComputedStructureEntry(structure, -1.0 - i, entry_id=f"mp-{i}")
        for i, structure in enumerate(STRUCTURES)
    ]
    check(read_crystals(entries, "energy"), ["mp-0", "mp-1"], [-1.0, -2.0])
    path = write_json(tmp_path / "entries.json", [entry.as_dict() for entry in entries])
    check(read_crystals(path, "energy"), ["mp-0", "mp-1"], [-1.0, -2.0])
    check(read_crystals(DICTS), ["1", "2"], None)
    check(read_crystals(pd.Series(STRUCTURES, index=["a", "b"])), ["a", "b"], None)
    frame = pd.DataFrame({"structure": STRUCTURES, "gap": [1.0, 2.0]}, index=["a", "b"])
    check(read_crystals(frame, "gap"), ["a", "b"])
    assert list(frame.columns) == ["structure", "gap"]  # unchanged


def test_documents_of_a_server():
    class Document:  # as the client of the Materials Project gives
        def __init__(self, number, structure):
            self.material_id, self.band_gap, self.structure = f"mp-{number}", number, structure

    documents = [Document(number, one) for number, one in enumerate(STRUCTURES)]
    check(read_crystals(documents, "band_gap"), ["mp-0", "mp-1"], [0, 1])


def test_a_polars_frame():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"id": ["a", "b"], "formula": ["NaCl", "KCl"], "gap": [1.0, 2.0]})
    data = read_crystals(frame, "gap")
    assert data.ids.tolist() == ["a", "b"] and data.target.tolist() == [1.0, 2.0]


def test_files_of_ase(tmp_path):
    pytest.importorskip("ase")
    import ase
    import ase.db
    import ase.io
    from pymatgen.io.ase import AseAtomsAdaptor

    images = [ase.Atoms(AseAtomsAdaptor.get_atoms(structure)) for structure in STRUCTURES]
    for gap, atoms in zip([1.0, 2.0], images):
        atoms.info.update(id=f"mb-{gap:.0f}", gap=gap)
    ase.io.write(tmp_path / "a.extxyz", images)
    check(read_crystals(tmp_path / "a.extxyz", "gap"))
    ase.io.write(tmp_path / "a.traj", images)
    check(read_crystals(tmp_path / "a.traj", "gap"))
    for name in ("a.db", "b.json"):
        with ase.db.connect(str(tmp_path / name)) as database:
            for gap, atoms in zip([1.0, 2.0], images):
                database.write(atoms, gap=gap)
        check(read_crystals(tmp_path / name, "gap"), ["1", "2"])
    (tmp_path / "bad.db").write_bytes(b"not sqlite at all")
    with pytest.raises(ValueError, match="cannot be read as an ASE database"):
        read_crystals(tmp_path / "bad.db")


def test_ids_with_a_folder(tmp_path):
    """The id_prop.csv of CGCNN: no header, files by their ids."""
    (tmp_path / "cifs").mkdir()
    for name, structure in zip(("mb-1", "mb-2"), STRUCTURES):
        structure.to(str(tmp_path / "cifs" / f"{name}.cif"), fmt="cif")
    table = tmp_path / "id_prop.csv"
    table.write_text("mb-1,1.0\nmb-2,2.0\n")
    options = {"folder": tmp_path / "cifs", "header": False}
    check(read_crystals(table, "2", **options))
    table.write_text("mb-1,1.0\nmb-3,2.0\nmb-2,2.0\nmb-4,1\n")
    with pytest.raises(CrystalError, match="2 of 4 crystals") as caught:
        read_crystals(table, "2", **options)
    assert "row 2 (mb-3): there is no file 'mb-3' or mb-3.cif in" in str(caught.value)
    with pytest.raises(ValueError, match="there is no folder"):
        read_crystals(table, folder=tmp_path / "nowhere", header=False)
    with pytest.raises(
        ValueError, match="no header and '1.0' is a value of its first row.*header="
    ):
        read_crystals(table)
    # the first row would be taken as the names of the columns, and left out
    with pytest.raises(
        ValueError, match="no header and '1.0' is a value of its first row.*header="
    ):
        read_crystals(table, folder=tmp_path / "cifs")
    # the caller said that there is none
    with pytest.raises(ValueError, match=r"Its columns are: 1, 2\.$"):
        read_crystals(table, header=False)


def test_folder_and_files(tmp_path):
    (tmp_path / "deep").mkdir()
    STRUCTURES[0].to(str(tmp_path / "a.cif"), fmt="cif")
    STRUCTURES[1].to(str(tmp_path / "deep/POSCAR"), fmt="poscar")
    files = [tmp_path / "a.cif", tmp_path / "deep/POSCAR"]
    check(read_crystals(tmp_path, n_jobs=2), map(str, files), None)
    check(read_crystals(files), map(str, files), None)
    (tmp_path / "bad.cif").write_text("data_x\n")
    with pytest.raises(CrystalError, match="1 of 3 crystals") as caught:
        read_crystals(tmp_path)
    assert 'on_error="warn"' in str(caught.value) and "bad.cif: " in str(caught.value)
    with pytest.raises(CrystalError, match="cannot be used:"):
        read_crystals(tmp_path / "bad.cif")


def test_a_file_with_two_phases_gives_two_rows(tmp_path):
    path = tmp_path / "two.cif"
    path.write_text("".join(structure.to(fmt="cif") for structure in STRUCTURES))
    data = check(read_crystals(path), [str(path)] * 2, None)
    assert data.frame["block"].tolist() == ["NaCl", "KCl"]
    (tmp_path / "other.cif").write_text(STRUCTURES[0].to(fmt="cif"))
    with pytest.raises(CrystalError, match="two.cif.* 2 crystals"):
        read_crystals(tmp_path)


def test_what_does_not_exist(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("formula,band_gap\nNaCl,8.5\nKCl,\n")
    with pytest.raises(ValueError, match="no column 'bandgap'.*Did you mean 'band_gap'"):
        read_crystals(table, "bandgap")
    with pytest.raises(ValueError, match="no column 'formulas'.*Did you mean 'formula'"):
        read_crystals(table, column="formulas")
    with pytest.raises(CrystalError, match=r"row 2 \(KCl\): its band_gap is missing"):
        read_crystals(table, "band_gap")
    with pytest.raises(ValueError, match="there is no file or folder"):
        read_crystals(tmp_path / "b.csv")
    with pytest.raises(ValueError, match="on_error must be"):
        read_crystals(table, on_error="ignore")


def test_labels_stay_labels(tmp_path):
    (tmp_path / "a.csv").write_text("formula,kind\nNaCl,ionic\nSi,covalent\n")
    assert read_crystals(tmp_path / "a.csv", "kind").target.tolist() == ["ionic", "covalent"]


def test_crystals_are_rows_of_a_cross_validation():
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    from sklearn_cloud.features import ElementFractions

    data = read_crystals([cscl(c, a) for c in ("Na", "K", "Rb") for a in ("F", "Cl", "Br")])
    model = make_pipeline(ElementFractions(), RandomForestRegressor(5, random_state=0))
    assert np.isfinite(cross_val_score(model, data.crystals, np.arange(9.0), cv=3)).all()


def test_long_cells_and_windows_line_ends(tmp_path):
    text = STRUCTURES[0].to(fmt="cif").replace("\n", "\r\n")
    with gzip.open(tmp_path / "a.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows([["cif", "gap"], [text + "# x\n" * 50_000, "1"]])
    assert len(read_crystals(tmp_path / "a.csv.gz", "gap").crystals) == 1
