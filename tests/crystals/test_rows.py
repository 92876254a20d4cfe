"""The one loop over rows: files and objects, distinct crystals, bad rows, workers of any kind."""

from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud import CrystalError, SymmetryStringTransformer
from sklearn_cloud.baselines import ElementFractions
from sklearn_cloud.crystals import as_items
from sklearn_cloud.crystals.rows import compute_rows, each, full_key, read_rows
from sklearn_cloud.crystals.workers import run_in_workers


def cscl(cation, anion="Cl", a=4.0):
    return Structure(Lattice.cubic(a), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{cation}.cif" for cation in ("Na", "K", "Rb", "Cs")]
    for path in paths:
        cscl(path.stem).to(str(path), fmt="cif")
    return paths


def count_sites(crystals):
    return each(lambda crystal: len(crystal.kinds), crystals)


def sites(crystal):
    if "Rb" in crystal.composition:
        raise ValueError("rubidium is not counted")
    return sum(crystal.composition.values())


def test_rows_of_equal_crystals_share_a_result(files):
    items = [files[0], cscl("Na"), str(files[1]), files[0], cscl("K")]
    rows = compute_rows(items, count_sites)
    assert rows.places[0] == rows.places[3]
    assert rows.places[1] in range(len(rows.results))
    assert [rows.results[place] for place in rows.places] == [2] * 5
    assert len(set(rows.keys)) == len(rows.keys) == len(rows.results)


def test_a_file_given_twice_is_read_once(files, monkeypatch):
    from sklearn_cloud.crystals import rows as module

    read = []
    real = module.read_crystal
    monkeypatch.setattr(module, "read_crystal", lambda i, notes: read.append(i) or real(i, notes))
    read_rows([files[0], files[1], str(files[0]), files[0]], n_jobs=1)
    assert len(read) == 2


def test_all_bad_rows_are_in_one_error(files):
    items = [files[0], "nothing.cif", None, files[1], "Qq2"]
    with pytest.raises(CrystalError, match="3 of 5 rows cannot be used") as caught:
        compute_rows(items, count_sites)
    message = str(caught.value)
    assert "row 1: there is no file 'nothing.cif'" in message
    assert "row 2: " in message and "row 4: " in message


def test_many_bad_rows_are_counted():
    with pytest.raises(CrystalError, match="and 20 more, rows 10, 11"):
        read_rows(["Qq"] * 30)


def test_what_cannot_be_computed_is_named_too(files):
    items = [*files, cscl("Rb")]
    rows = compute_rows(items, partial(each, sites), on_error="keep")
    assert sorted(rows.errors) == [2, 4]
    assert rows.places.tolist()[2] == -1
    with pytest.raises(CrystalError, match="row 2: rubidium is not counted"):
        compute_rows(files, partial(each, sites))


def test_nothing_is_computed_after_a_bad_row(files):
    computed = []

    def compute(crystals):
        computed.extend(crystals)
        return crystals

    with pytest.raises(CrystalError):
        compute_rows(["nothing.cif", *files], compute, chunk=1)
    assert computed == []


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_workers_of_every_backend_give_the_same(backend, files, monkeypatch):
    monkeypatch.chdir(files[0].parent)
    items = [Path(files[0].name), "K.cif", cscl("Cs"), "missing.cif", "NaCl", files[3]] * 5
    alone = compute_rows(items, partial(each, sites), key=full_key, on_error="keep")
    with joblib.parallel_config(backend=backend):
        found = compute_rows(
            items, partial(each, sites), key=full_key, n_jobs=2, chunk=2, on_error="keep"
        )
    assert found.results == alone.results and found.keys == alone.keys
    assert found.places.tolist() == alone.places.tolist()
    assert {row: str(e) for row, e in found.errors.items()} == {
        row: str(e) for row, e in alone.errors.items()
    }
    assert "'missing.cif'" in str(found.errors[3])


def test_tasks_are_taken_as_workers_become_free():
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield (number,)

    results = run_in_workers(abs, tasks(), n_jobs=1)
    assert next(results) == 0
    assert len(taken) == 1


def test_order_of_the_workers_results():
    tasks = [(number,) for number in range(20)]
    with joblib.parallel_config(backend="threading"):
        assert list(run_in_workers(abs, tasks, n_jobs=2)) == list(range(20))
        assert sorted(run_in_workers(abs, tasks, n_jobs=2, ordered=False)) == list(range(20))


def test_crystals_that_were_read_are_crystals(files):
    crystals = read_rows(files)
    expected = SymmetryStringTransformer().transform(files)
    assert SymmetryStringTransformer().transform(crystals).tolist() == expected.tolist()
    array = np.empty(4, dtype=object)
    for row, crystal in enumerate(crystals):
        array[row] = crystal
    assert ElementFractions().fit_transform(array).shape == (4, 118)


def test_strings_that_name_files(files, monkeypatch, tmp_path):
    cscl("Na").to(str(tmp_path / "POSCAR"), fmt="poscar")
    cscl("Na").to(str(tmp_path / "NaCl"), fmt="poscar")  # a formula too: the file counts
    monkeypatch.chdir(tmp_path)
    transformer = SymmetryStringTransformer()
    (tmp_path / "NaCl").rename(tmp_path / "CONTCAR")
    strings = transformer.transform(["POSCAR", "CONTCAR", "NaCl"])
    assert strings[0] == strings[1] == transformer.transform([cscl("Na")])[0]
    assert strings[2] == "Na 0.5 Cl 0.5"


def test_entries_and_json_text(files):
    class Entry:  # as of the Materials Project
        structure = cscl("Na")

    text = cscl("Na").to_json()
    items = [cscl("Na"), Entry(), text, cscl("Na").as_dict(), {"structure": cscl("Na").as_dict()}]
    strings = SymmetryStringTransformer().transform(items)
    assert len(set(strings)) == 1
    with pytest.raises(ValueError, match="row 1: it is not JSON"):
        SymmetryStringTransformer().transform(["NaCl", "{'lattice': 1}"])


def test_a_collection_that_must_be_a_list(tmp_path, files):
    advice = [
        (tmp_path.glob("*.cif"), "(generator|map): convert it to a list"),  # map since Python 3.13
        ((file for file in files), "generator: convert it to a list"),
        ({"a": files[0]}, r"list\(X.values\(\)\)"),
        (set(files), "set: convert it to a list"),
        (tmp_path, "read_crystals"),
        (str(tmp_path), "read_crystals"),
        (read_rows(files)[0], "pass a list, .X. for one crystal"),
    ]
    for X, message in advice:
        with pytest.raises(TypeError, match=message):
            as_items(X)


def test_columns_of_pyarrow():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"gap": [1.0, 2.0], "formula": ["NaCl", "MgO"]})
    assert as_items(table["formula"]) == ["NaCl", "MgO"]
    with pytest.raises(ValueError, match=r"columns \['gap', 'formula'\].*X\['formula'\]"):
        as_items(table)


def test_a_frame_with_two_columns():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"gap": [1.0], "structure": ["NaCl"]})
    with pytest.raises(ValueError, match=r"columns \['gap', 'structure'\].*X\['structure'\]"):
        SymmetryStringTransformer().fit(frame)


def test_numbers_of_numpy_are_parameters(files):
    options = {"symprec": np.float32(0.1), "angle_tolerance": np.float64(5), "n_jobs": np.int64(1)}
    strings = SymmetryStringTransformer(**options).fit(files).transform(files)
    expected = SymmetryStringTransformer(symprec=0.1, angle_tolerance=5.0).transform(files)
    assert strings.tolist() == expected.tolist()


def test_rows_that_were_passed_over_are_dropped_before_the_pipeline(files):
    from sklearn.pipeline import make_pipeline

    from sklearn_cloud import CloudRegressor

    model = make_pipeline(SymmetryStringTransformer(on_error="warn"), CloudRegressor(max_epochs=1))
    with pytest.warns(UserWarning, match=r"rows \[1\]"), pytest.raises(TypeError) as caught:
        model.fit([files[0], "missing.cif", files[1], files[2]], [1.0, 2.0, 3.0, 4.0])
    message = str(caught.value)
    assert "no string in 1 of 4 rows, [1]" in message
    assert "before the pipeline" in message and "keep = [string is not None" in message
