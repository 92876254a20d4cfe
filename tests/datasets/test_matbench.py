import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score

from sklearn_cloud.datasets import fetch_matbench, list_matbench, matbench

SEED = 18012019
LARGE = {"mp_gap", "mp_is_metal", "mp_e_form"}
TASKS = [pytest.param(t, marks=pytest.mark.slow if t in LARGE else ()) for t in list_matbench()]


def facts(input_kind, task_type, n_rows):
    return {
        "input": input_kind,
        "target": "y (unit)",
        "description": "a made-up property",
        "unit": "eV" if task_type == "regression" else None,
        "task_type": task_type,
        "n_rows": n_rows,
        "url": "http://127.0.0.1:9/none.json.gz",
        "sha256": "0" * 64,
    }


@pytest.fixture
def toy_facts(monkeypatch):
    """Four small tasks in place of the official ones."""
    made = {
        "toy": facts("structure", "regression", 23),
        "toy_metal": facts("structure", "classification", 120),
        "toy_formula": facts("composition", "regression", 12),
        "toy_formula_glass": facts("composition", "classification", 20),
    }
    monkeypatch.setattr(matbench, "_all_facts", lambda: made)
    monkeypatch.delenv("SKLEARN_CLOUD_DATA", raising=False)
    return made


def crystal(row):
    a = 3 + 0.1 * row
    coords = [[0, 0, 0], [0.5, 0.5, 0.5 + 0.001 * row]]
    return Structure(Lattice.cubic(a), ["Na", "Cl"], coords)


def ids_of(task, n):
    width = len(str(n))
    return [f"mb-{task.replace('_', '-')}-{row:0{width}d}" for row in range(1, n + 1)]


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    with gzip.open(path, "wt") as file:
        file.write(text)
    return path


def structure_table(task, n, targets, rows=None):
    rows = range(n) if rows is None else rows
    return {
        "index": [ids_of(task, n)[row] for row in rows],
        "columns": ["structure", "y (unit)"],
        "data": [[crystal(row).as_dict(), targets[row]] for row in rows],
    }


def table_of_toy(**changes):
    return structure_table("toy", 23, [row / 7 for row in range(23)]) | changes


def test_complete_structure_table(toy_facts, tmp_path):
    write(tmp_path / "matbench_toy.json.gz", table_of_toy())
    toy = fetch_matbench("toy", data_home=tmp_path)
    assert toy.structures.shape == (23,) and toy.structures.dtype == object
    assert all(found == crystal(row) for row, found in enumerate(toy.structures))
    np.testing.assert_array_equal(toy.target, np.arange(23) / 7)
    assert toy.target.dtype == np.float64
    assert toy.ids.tolist() == ids_of("toy", 23)
    assert toy.ids[0] == "mb-toy-01"
    assert (toy.coverage, toy.n_official, toy.task) == (1.0, 23, "toy")
    assert (toy.task_type, toy.target_name, toy.unit) == ("regression", "y (unit)", "eV")
    assert "23 of 23 official rows (100.0 %)" in toy.DESCR
    expected = KFold(5, shuffle=True, random_state=SEED).split(np.empty(23))
    for (train, test), (expected_train, expected_test) in zip(toy.folds, expected, strict=True):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(test, expected_test)


def test_result_goes_into_cross_validation(toy_facts, tmp_path):
    write(tmp_path / "matbench_toy.json.gz", table_of_toy())
    toy = fetch_matbench("toy", data_home=tmp_path)
    scores = cross_val_score(DummyRegressor(), toy.structures, toy.target, cv=toy.folds)
    assert scores.shape == (5,) and np.isfinite(scores).all()


def test_rows_are_put_in_official_order(toy_facts, tmp_path):
    table = table_of_toy()
    for key in ("index", "data"):
        table[key] = table[key][::-1]
    write(tmp_path / "matbench_toy.json.gz", table)
    toy = fetch_matbench("toy", data_home=tmp_path)
    assert toy.ids.tolist() == ids_of("toy", 23)
    assert toy.structures[3] == crystal(3)
    assert toy.target[3] == 3 / 7


def test_numbered_rows_get_the_official_ids(toy_facts, tmp_path):
    write(tmp_path / "matbench_toy.json.gz", table_of_toy(index=list(range(23))))
    assert fetch_matbench("toy", data_home=tmp_path).ids.tolist() == ids_of("toy", 23)


def test_incomplete_table_has_the_folds_of_the_complete_one(toy_facts, tmp_path):
    present = [row for row in range(23) if row not in (0, 5, 11, 12)]
    table = structure_table("toy", 23, list(range(23)), present)
    write(tmp_path / "matbench_toy.json.gz", table)
    toy = fetch_matbench("toy", data_home=tmp_path)
    assert toy.coverage == 19 / 23
    expected = KFold(5, shuffle=True, random_state=SEED).split(np.empty(23))
    for (train, test), (_, expected_test) in zip(toy.folds, expected, strict=True):
        assert toy.target[test].tolist() == [row for row in expected_test if row in present]
        assert sorted([*train, *test]) == list(range(19))


@pytest.fixture
def labels():
    return np.random.RandomState(0).rand(120) < 0.3


def stratified_tests(labels):
    rule = StratifiedKFold(5, shuffle=True, random_state=SEED)
    return [test for _, test in rule.split(labels, labels)]


def test_complete_classification_table_is_stratified(toy_facts, tmp_path, labels):
    table = structure_table("toy_metal", 120, labels.tolist())
    write(tmp_path / "matbench_toy_metal.json.gz", table)
    metal = fetch_matbench("toy_metal", data_home=tmp_path)
    assert metal.target.dtype == bool and metal.unit is None
    np.testing.assert_array_equal(metal.target, labels)
    for (_, test), expected in zip(metal.folds, stratified_tests(labels), strict=True):
        np.testing.assert_array_equal(test, expected)


@pytest.fixture
def incomplete_metal(toy_facts, tmp_path, labels):
    present = [row for row in range(120) if row % 10]
    table = structure_table("toy_metal", 120, labels.astype(int).tolist(), present)
    write(tmp_path / "matbench_toy_metal.json.gz", table)
    ids = np.array(ids_of("toy_metal", 120))
    tests = stratified_tests(labels)
    return SimpleNamespace(
        home=tmp_path,
        listed={f"fold_{fold}": ids[test].tolist() for fold, test in enumerate(tests)},
        expected=[[i for i in ids[test] if i in set(ids[present])] for test in tests],
    )


def check_incomplete_metal(incomplete_metal):
    metal = fetch_matbench("toy_metal", data_home=incomplete_metal.home)
    assert metal.coverage == 0.9
    found = [metal.ids[test].tolist() for _, test in metal.folds]
    assert found == incomplete_metal.expected


def test_incomplete_classification_table_with_listed_ids(incomplete_metal):
    listed = {"matbench_toy_metal": incomplete_metal.listed}
    write(incomplete_metal.home / matbench.FOLD_FILE, listed)
    check_incomplete_metal(incomplete_metal)


def test_incomplete_classification_table_with_matbench_package(incomplete_metal, monkeypatch):
    folds = {name: {"train": [], "test": ids} for name, ids in incomplete_metal.listed.items()}
    text = json.dumps({"splits": {"matbench_toy_metal": folds}})
    (incomplete_metal.home / "matbench_v0.1_validation.json").write_text(text)
    spec = SimpleNamespace(submodule_search_locations=[str(incomplete_metal.home)])
    monkeypatch.setattr(matbench, "find_spec", lambda name: spec)
    check_incomplete_metal(incomplete_metal)


def test_incomplete_classification_table_without_any_list(incomplete_metal, monkeypatch):
    monkeypatch.setattr(matbench, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install --no-deps matbench"):
        fetch_matbench("toy_metal", data_home=incomplete_metal.home)


def test_list_of_test_ids_must_be_complete(incomplete_metal):
    incomplete_metal.listed["fold_2"].pop()
    listed = {"matbench_toy_metal": incomplete_metal.listed}
    write(incomplete_metal.home / matbench.FOLD_FILE, listed)
    with pytest.raises(ValueError, match="does not have each of its rows exactly once"):
        fetch_matbench("toy_metal", data_home=incomplete_metal.home)


def test_composition_table_as_csv(toy_facts, tmp_path):
    lines = ["formula,target", *(f"NaCl{row},{row}.5" for row in range(1, 13))]
    folder = tmp_path / "matbench" / "compositions"
    write(folder / "matbench_toy_formula.csv.gz", "\n".join(lines) + "\n")
    toy = fetch_matbench("toy_formula", data_home=tmp_path)
    assert toy.structures.tolist() == [f"NaCl{row}" for row in range(1, 13)]
    assert toy.compositions is toy.structures
    assert toy.target.tolist() == [row + 0.5 for row in range(1, 13)]
    assert toy.ids[0] == "mb-toy-formula-01"


def test_composition_table_as_json(toy_facts, tmp_path):
    data = [[f"Zr{row}Cu", row % 2 == 0] for row in range(1, 21)]
    table = {"index": list(range(20)), "columns": ["composition", "y (unit)"], "data": data}
    write(tmp_path / "matbench" / "matbench_toy_formula_glass.json.gz", table)
    toy = fetch_matbench("toy_formula_glass", data_home=tmp_path)
    assert toy.target.tolist() == [label for _, label in data]
    assert toy.compositions[1] == "Zr2Cu"


def test_short_csv_cannot_be_numbered(toy_facts, tmp_path):
    folder = tmp_path / "matbench" / "compositions"
    write(folder / "matbench_toy_formula.csv.gz", "formula,target\nNaCl,1\n")
    with pytest.raises(ValueError, match="1 rows without ids, but the official table has 12"):
        fetch_matbench("toy_formula", data_home=tmp_path)


def test_structure_task_has_no_compositions(toy_facts, tmp_path):
    write(tmp_path / "matbench_toy.json.gz", table_of_toy())
    assert "compositions" not in fetch_matbench("toy", data_home=tmp_path)


def test_where_a_table_is_looked_for(toy_facts, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path))
    zero, one = (structure_table("toy", 23, [float(value)] * 23) for value in (0, 1))
    write(tmp_path / "matbench" / "matbench_toy.json.gz", one)
    assert fetch_matbench("matbench_toy").target[0] == 1
    write(tmp_path / "matbench_toy.json.gz", zero)
    assert fetch_matbench("matbench_toy").target[0] == 0


def special_sites():
    magnetic = Structure(Lattice.cubic(3), ["Fe"], [[0, 0, 0]], site_properties={"magmom": [2.0]})
    mixed = Structure(Lattice.cubic(3), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    vacant = Structure(Lattice.cubic(3), [{"Cu": 0.5}], [[0, 0, 0]])
    ionic = Structure(Lattice.cubic(4), ["Na+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    charged = Structure(Lattice.cubic(4), ["Na"], [[0, 0, 0]], charge=1)
    labelled = Structure(Lattice.cubic(4), ["Na"], [[0, 0, 0]], labels=["Na1"])
    return [magnetic, mixed, vacant, ionic, charged, labelled]


@pytest.mark.filterwarnings("ignore:Structure charge")
@pytest.mark.parametrize("with_labels", [True, False])
def test_special_sites_are_kept(toy_facts, tmp_path, with_labels):
    table = table_of_toy()
    for row, structure in enumerate(special_sites()):
        record = structure.as_dict()
        for site in record["sites"]:
            if not with_labels:
                del site["label"]
        table["data"][row][0] = record
    write(tmp_path / "matbench_toy.json.gz", table)
    found = fetch_matbench("toy", data_home=tmp_path).structures
    for structure, expected in zip(found, special_sites(), strict=False):
        for name in expected.site_properties:  # neither the properties of sites nor their labels
            expected.remove_site_property(name)
        assert structure == expected
        assert structure.charge == expected.charge


def test_nothing_that_a_table_names_is_imported(toy_facts, tmp_path, monkeypatch):
    (tmp_path / "leaves_a_mark.py").write_text(
        "from pathlib import Path\nPath(__file__).with_name('mark').touch()\nclass Mark: pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    hostile = {"@module": "leaves_a_mark", "@class": "Mark"}
    table = table_of_toy()
    record = special_sites()[0].as_dict()
    record["sites"][0]["properties"] = {"magmom": hostile}
    record["properties"] = hostile
    table["data"][0][0] = record
    write(tmp_path / "matbench_toy.json.gz", table)
    assert fetch_matbench("toy", data_home=tmp_path).structures[0].formula == "Fe1"
    assert not (tmp_path / "mark").exists()


def test_progress_bar_only_when_asked(toy_facts, tmp_path, capsys):
    write(tmp_path / "matbench_toy.json.gz", table_of_toy())
    fetch_matbench("toy", data_home=tmp_path)
    assert capsys.readouterr() == ("", "")
    fetch_matbench("toy", data_home=tmp_path, verbose=1)
    assert "23/23" in capsys.readouterr().err


def test_download_is_checked_and_kept(toy_facts, tmp_path):
    source = write(tmp_path / "source.json.gz", table_of_toy())
    toy_facts["toy"]["url"] = source.as_uri()
    home = tmp_path / "home"
    with pytest.raises(ValueError, match="sha256"):
        fetch_matbench("toy", data_home=home)
    toy_facts["toy"]["sha256"] = hashlib.sha256(source.read_bytes()).hexdigest()
    assert len(fetch_matbench("toy", data_home=home).ids) == 23
    source.unlink()
    assert len(fetch_matbench("toy", data_home=home, download=False).ids) == 23
    assert (home / "matbench" / "matbench_toy.json.gz").is_file()


def test_missing_table_without_download(toy_facts, tmp_path):
    with pytest.raises(FileNotFoundError, match="SKLEARN_CLOUD_DATA") as error:
        fetch_matbench("toy_formula", data_home=tmp_path, download=False)
    assert toy_facts["toy_formula"]["url"] in str(error.value)
    for name in ("matbench_toy_formula.json.gz", "compositions/matbench_toy_formula.csv.gz"):
        assert str(tmp_path / "matbench" / name) in str(error.value)


def test_unknown_task_suggests_the_closest():
    with pytest.raises(ValueError, match="Did you mean 'phonons'"):
        fetch_matbench("phonon")
    with pytest.raises(ValueError, match="unknown MatBench task 'x-y-z'. The tasks are"):
        fetch_matbench("x-y-z")
    with pytest.raises(TypeError, match="must be a string, got int"):
        fetch_matbench(3)


def changed_row(**changes):
    table = table_of_toy()
    structure, target = table["data"][4]
    table["data"][4] = [changes.get("structure", structure), changes.get("target", target)]
    return table


def without_lattice():
    record = crystal(4).as_dict()
    del record["lattice"]
    return record


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("{", "is damaged"),
        ([1, 2], "needs the keys index, columns and data"),
        ({"columns": [], "data": []}, "needs the keys index, columns and data"),
        (table_of_toy(columns=["structure", "e_form"]), r"lacks the column\(s\) \['y \(unit\)'\]"),
        (table_of_toy(index=ids_of("toy", 23)[:22]), "one index entry per row"),
        (table_of_toy(data=[[1]] * 23), "rows of different lengths"),
        (table_of_toy(index=["mb-toy-24", *ids_of("toy", 23)[1:]]), "1 unknown id.*'mb-toy-24'"),
        (table_of_toy(index=["mb-toy-1", *ids_of("toy", 23)[1:]]), "1 unknown id.*'mb-toy-1'"),
        (table_of_toy(index=["mb-toy-02", *ids_of("toy", 23)[1:]]), "id mb-toy-02 more than once"),
        (table_of_toy(index=[], data=[]), "0 rows without ids"),
        (changed_row(target=None), "target of mb-toy-05 is None, not a finite number"),
        (changed_row(target=float("nan")), "target of mb-toy-05 is nan"),
        (changed_row(target=float("inf")), "target of mb-toy-05 is inf"),
        (changed_row(target="soft"), "not a number.*soft"),
        (changed_row(structure="NaCl"), "mb-toy-05 is not a structure but 'NaCl'"),
        (
            changed_row(structure=without_lattice()),
            "mb-toy-05 is not a valid.*lattice",
        ),
    ],
)
def test_wrong_table_is_refused(toy_facts, tmp_path, table, message):
    path = write(tmp_path / "matbench_toy.json.gz", table)
    with pytest.raises(ValueError, match=message) as error:
        fetch_matbench("toy", data_home=tmp_path)
    assert str(path) in str(error.value)


def test_damaged_file_is_refused(toy_facts, tmp_path):
    path = write(tmp_path / "matbench_toy.json.gz", table_of_toy())
    whole = path.read_bytes()
    for damaged in (b"not gzip", whole[: len(whole) // 2], whole[:100] + b"x" + whole[101:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="damaged.*delete it and download it again"):
            fetch_matbench("toy", data_home=tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [(["", True], "mb-toy-formula-glass-01 is not a formula"), (["NaCl", 2], "not true or false")],
)
def test_wrong_composition_row_is_refused(toy_facts, tmp_path, row, message):
    data = [row, *(["ZrCu", False] for _ in range(19))]
    table = {"index": list(range(20)), "columns": ["composition", "y (unit)"], "data": data}
    write(tmp_path / "matbench_toy_formula_glass.json.gz", table)
    with pytest.raises(ValueError, match=message):
        fetch_matbench("toy_formula_glass", data_home=tmp_path)


def test_facts_of_the_thirteen_tasks():
    table = matbench._all_facts()
    assert len(table) == 13
    assert list_matbench()[-1] == "mp_e_form"
    for task, fact in table.items():
        assert fact["url"].endswith(f"/matbench_{task}.json.gz")
        assert len(fact["sha256"]) == 64 and int(fact["sha256"], 16)
        assert (fact["unit"] is None) == (fact["task_type"] == "classification")
    classes = {task for task, fact in table.items() if fact["task_type"] == "classification"}
    assert classes == {"expt_is_metal", "glass", "mp_is_metal"}
    formulas = {task for task, fact in table.items() if fact["input"] == "composition"}
    assert formulas == {"steels", "expt_gap", "expt_is_metal", "glass"}


def test_import_is_light():
    heavy = {"torch", "transformers", "pymatgen", "pandas", "spglib"}
    code = f"import sys, sklearn_cloud.datasets; print({heavy} & set(sys.modules) or 'none')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "none"


def local_task(task):
    if not os.environ.get("SKLEARN_CLOUD_DATA"):
        pytest.skip("SKLEARN_CLOUD_DATA does not name a folder with the MatBench tables")
    try:
        return fetch_matbench(task, download=False)
    except FileNotFoundError:
        pytest.skip(f"no table of {task} in SKLEARN_CLOUD_DATA")


@pytest.mark.parametrize("task", TASKS)
def test_real_table_has_the_official_folds(task):
    table = local_task(task)
    path = Path(os.environ["SKLEARN_CLOUD_DATA"]) / matbench.FOLD_FILE
    if not path.is_file():
        pytest.skip(f"no list of official test ids at {path}")
    with gzip.open(path, "rt") as file:
        official = json.load(file)[f"matbench_{task}"]
    assert sum(map(len, official.values())) == table.n_official
    present = set(table.ids)
    for fold, (train, test) in enumerate(table.folds):
        assert table.ids[test].tolist() == [i for i in official[f"fold_{fold}"] if i in present]
        np.testing.assert_array_equal(np.sort([*train, *test]), np.arange(len(table.ids)))


@pytest.mark.parametrize("task", TASKS)
def test_folds_equal_those_of_the_matbench_package(task):
    metadata = pytest.importorskip("matbench.metadata")
    fact = matbench._all_facts()[task]
    if fact["task_type"] == "regression":  # the rule needs no table
        ids = np.array(ids_of(task, fact["n_rows"]))
        folds = matbench._official_folds(np.arange(len(ids)), None, task, fact, Path("none"))
    else:
        table = local_task(task)
        ids, folds = table.ids, table.folds
    present = set(ids.tolist())
    for fold, (train, test) in enumerate(folds):
        expected = metadata.mbv01_validation["splits"][f"matbench_{task}"][f"fold_{fold}"]
        assert ids[test].tolist() == [i for i in expected["test"] if i in present]
        assert set(ids[train].tolist()) == set(expected["train"]) & present
    assert fact["n_rows"] == metadata.mbv01_metadata[f"matbench_{task}"]["n_samples"]
    assert fact["target"] == metadata.mbv01_metadata[f"matbench_{task}"]["target"]
