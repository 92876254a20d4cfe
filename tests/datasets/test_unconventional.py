import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.model_selection import KFold

from sklearn_cloud.datasets import fetch_unconventional, list_unconventional, unconventional


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("SKLEARN_CLOUD_DATA", raising=False)
    toy = {
        "qmof": ("qmof", 12, "an energy", "eV"),
        "supercon": ("supercon", 13, "a temperature", "K"),
        "defected": ("defected", 7, "a vacancy energy", "eV"),
    }
    monkeypatch.setattr(unconventional, "TASKS", toy)
    return tmp_path


def crystal(row):
    return Structure(Lattice.cubic(3 + row / 10), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def official_table(n):
    data = [[crystal(row).as_dict(), row / 4] for row in range(n)]
    return {"index": list(range(n)), "columns": ["structure", "energy_total"], "data": data}


def check_folds(bunch):
    n = len(bunch.target)
    expected = KFold(5, shuffle=True, random_state=42).split(np.empty(n))
    for (train, test), (expected_train, expected_test) in zip(bunch.folds, expected, strict=True):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(test, expected_test)


@pytest.mark.parametrize(
    "name",
    [
        "ub_unconvbench_qmof.json",
        "unconventional/ub_unconvbench_qmof.json",
        "unconventional/ub_unconvbench_qmof.json.gz",
    ],
)
def test_official_table(home, name):
    write(home / name, official_table(12))
    qmof = fetch_unconventional("qmof", data_home=home)
    assert qmof.structures.shape == (12,) and qmof.structures[3] == crystal(3)
    np.testing.assert_array_equal(qmof.target, np.arange(12) / 4)
    assert qmof.ids[0] == "unconvbench_qmof-01" and qmof.ids[-1] == "unconvbench_qmof-12"
    assert qmof.coverage == 1.0 and not qmof.is_reconstruction
    assert (qmof.task, qmof.task_type, qmof.unit) == ("qmof", "regression", "eV")
    check_folds(qmof)


def without_lattice():
    table = official_table(12)
    del table["data"][4][0]["lattice"]
    return table


def with_target(value):
    table = official_table(12)
    table["data"][4][1] = value
    return table


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is damaged"),
        ([1], "is damaged"),
        ({"data": []}, "is damaged"),
        (official_table(11), "has 11 rows, but the official table has 12"),
        (without_lattice(), "unconvbench_qmof-05 is not a valid structure"),
        (with_target(None), "the target of unconvbench_qmof-05 is None"),
        (with_target("high"), "a target that is not a number"),
    ],
)
def test_bad_official_table(home, content, message):
    write(home / "ub_unconvbench_qmof.json", content)
    with pytest.raises(ValueError, match=message):
        fetch_unconventional("qmof", data_home=home)


def write_superconductors(home, **changes):
    row = 0
    for part, size in (("train", 5), ("val", 2), ("test", 2)):
        lines = [",material_id,cif,prop"]
        for _ in range(size):
            values = {"id": f"JVASP-{row}", "cif": crystal(row).to(fmt="cif"), "prop": -row / 2}
            values |= changes.get(f"row_{row}", {})
            lines.append('{n},{id},"{cif}",{prop}'.format(n=row, **values))
            row += 1
        write(home / f"unconventional/cdvae_supercon_{part}.csv.gz", "\n".join(lines) + "\n")


def test_superconductors_from_their_source(home):
    write_superconductors(home)
    supercon = fetch_unconventional("supercon", data_home=home)
    assert supercon.ids.tolist() == [f"JVASP-{row}" for row in range(9)]
    # the source holds the negative of the temperature
    np.testing.assert_array_equal(supercon.target, np.arange(9) / 2)
    assert not np.signbit(supercon.target).any()
    assert all(found.matches(crystal(row)) for row, found in enumerate(supercon.structures))
    assert supercon.coverage is None and supercon.is_reconstruction and supercon.n_official == 13
    assert "rows and folds are not UnconvBench's" in supercon.DESCR
    check_folds(supercon)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row_6": {"id": "JVASP-2"}}, "has the id JVASP-2 more than once"),
        ({"row_6": {"cif": "no cif"}}, "JVASP-6 is not a valid structure"),
        ({"row_6": {"prop": "nan"}}, "the target of JVASP-6 is nan"),
    ],
)
def test_bad_superconductors(home, changes, message):
    write_superconductors(home, **changes)
    with pytest.raises(ValueError, match=message):
        fetch_unconventional("supercon", data_home=home)


def test_official_table_goes_before_the_source(home):
    write_superconductors(home)
    write(home / "ub_unconvbench_supercon.json", official_table(13))
    assert fetch_unconventional("supercon", data_home=home).coverage == 1.0


def test_source_must_be_complete(home):
    write_superconductors(home)
    (home / "unconventional/cdvae_supercon_val.csv.gz").unlink()
    with pytest.raises(FileNotFoundError, match="cdvae_supercon_val.csv.gz"):
        fetch_unconventional("supercon", data_home=home)


def vacancy(row, **changes):
    atoms = {
        "lattice_mat": [[4, 0, 0], [0, 4, 0], [0, 0, 4]],
        "coords": [[2.0, 2.0, 2.0], [0, 0, 0]],
        "elements": ["Cs ", "Cl"],
        "cartesian": True,
    }
    record = {"jid": f"JVASP-{row}", "symbol": "Cs", "wycoff": "a", "E_vac": row / 2}
    return record | {"defective_atoms": atoms | changes}


def test_vacancies_from_their_source(home):
    fractional = vacancy(3, coords=[[0.5, 0.5, 0.5], [0, 0, 0]], cartesian=False)
    damaged = vacancy(4, elements=["Cl"])
    records = [vacancy(1), damaged, fractional, vacancy(1), vacancy(5), vacancy(6)]
    write(home / "unconventional/vacancy_db.json.gz", records)
    defected = fetch_unconventional("defected", data_home=home)
    assert defected.target.tolist() == [0.5, 1.5, 0.5, 2.5, 3.0]
    # numbered as in the source, where one vacancy may occur twice
    assert defected.ids[:3].tolist() == ["001-JVASP-1-Cs", "003-JVASP-3-Cs", "004-JVASP-1-Cs"]
    assert defected.structures[0] == defected.structures[1]
    np.testing.assert_allclose(defected.structures[0][0].frac_coords, 0.5)
    check_folds(defected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "is damaged"),
        ([{"jid": "JVASP-1"}], "is damaged"),
        ([vacancy(1), {**vacancy(2), "E_vac": None}], "the target of 002-JVASP-2-Cs is None"),
    ],
)
def test_bad_vacancies(home, content, message):
    write(home / "unconventional/vacancy_db.json.gz", content)
    with pytest.raises(ValueError, match=message):
        fetch_unconventional("defected", data_home=home)


def test_missing_file_is_named(home):
    with pytest.raises(FileNotFoundError, match="ub_unconvbench_qmof.json from https://figshare"):
        fetch_unconventional("qmof", data_home=home)
    with pytest.raises(FileNotFoundError, match="or its source as .*vacancy_db.json.gz"):
        fetch_unconventional("defected", data_home=home)


def test_tasks():
    assert list_unconventional() == "2d_e_exf 2d_e_tot 2d_gap qmof supercon defected".split()
    with pytest.raises(
        ValueError, match="unknown task '2d' of UnconvBench; the tasks are 2d_e_exf"
    ):
        fetch_unconventional("2d")


@pytest.mark.parametrize(("task", "n_rows"), [("supercon", 1056), ("defected", 510)])
def test_real_sources(task, n_rows):
    home = Path(os.environ.get("SKLEARN_CLOUD_DATA") or "none")
    if not (home / "unconventional/vacancy_db.json.gz").is_file():
        pytest.skip("needs the folder unconventional in SKLEARN_CLOUD_DATA")
    bunch = fetch_unconventional(task, data_home=home)
    assert len(bunch.structures) == len(set(bunch.ids)) == n_rows
    assert bunch.target.min() >= 0 and bunch.target.max() < 40
    check_folds(bunch)
