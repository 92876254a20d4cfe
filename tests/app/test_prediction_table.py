import io

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure

from sklearn_cloud.app.prediction_table import (
    COLUMNS,
    describe_choices,
    list_choices,
    predict_entries,
)
from sklearn_cloud.app.uploads import Entry
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.predictors import list_predictors, predict_properties
from sklearn_cloud.predictors.property_table import load_all

NAMES = ["bulk_modulus", "poisson_ratio", "experimental_band_gap"]
CSCL = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
ALLOY = Structure(Lattice.cubic(2.9), [{"Fe": 0.5, "Ni": 0.5}], [[0, 0, 0]])
NOBLE = Structure(Lattice.cubic(4.0), ["Rn"], [[0, 0, 0]])
ENTRIES = [
    Entry("broken.cif", None, "'broken.cif' is empty"),
    Entry("CsCl.cif", read_crystal(CSCL), "", ("one site was merged",)),
    Entry("NaCl", read_crystal("NaCl")),
    Entry("alloy.cif", read_crystal(ALLOY)),
    Entry("Rn.cif", read_crystal(NOBLE)),
]


@pytest.fixture(scope="module")
def predictors():
    return load_all(NAMES, on_error="warn")


@pytest.fixture(scope="module")
def table(predictors):
    return predict_entries(ENTRIES, NAMES, predictors)


def line(table, name, prop):
    (row,) = table[(table["name"] == name) & (table["property"] == prop)].to_dict("records")
    return row


def test_lines_and_columns(table):
    assert tuple(table.columns) == COLUMNS
    assert table["name"].tolist() == ["broken.cif", *np.repeat([e.name for e in ENTRIES[1:]], 3)]
    assert table["property"].tolist() == ["", *NAMES * 4]


def test_values_are_those_of_the_predictors(table):
    expected = predict_properties([CSCL], NAMES)
    for row in expected.to_dict("records"):
        found = line(table, "CsCl.cif", row["property"])
        for column in ("value", "lower", "upper", "applicability"):
            assert found[column] == pytest.approx(row[column], rel=1e-5)
        assert found["unit"] == row["unit"]
        assert found["lower"] < found["value"] < found["upper"]
        assert found["formula"] == "CsCl" and found["space_group"] == "P m -3 m (221)"
        assert found["symmetry_string"].endswith("| 1a Cs 1b Cl | Cs 0.5 Cl 0.5")
        assert "one site was merged" in found["message"]


def test_rows_that_cannot_be_predicted_say_why(table):
    broken = line(table, "broken.cif", "")
    assert broken["message"] == "'broken.cif' is empty" and np.isnan(broken["value"])
    for name in ("bulk_modulus", "poisson_ratio"):
        formula, disordered = line(table, "NaCl", name), line(table, "alloy.cif", name)
        assert "needs a crystal structure" in formula["message"]
        assert "disordered" in disordered["message"]
        assert np.isnan(formula["value"]) and np.isnan(disordered["value"])
    for name in ("NaCl", "alloy.cif"):
        assert line(table, name, "experimental_band_gap")["value"] >= 0
    assert line(table, "NaCl", "experimental_band_gap")["space_group"] == ""


def test_elements_without_training_crystals_are_named(table):
    assert "not in the training crystals: Rn" in line(table, "Rn.cif", "bulk_modulus")["message"]


def test_the_csv_file_can_be_read_again(table):
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)), keep_default_na=False, na_values={
        name: [""] for name in ("value", "lower", "upper", "applicability")
    })  # fmt: skip
    assert again["message"].tolist() == table["message"].tolist()
    np.testing.assert_allclose(again["value"], table["value"], rtol=1e-5)


def test_nothing_but_bad_rows(predictors):
    table = predict_entries(ENTRIES[:1], NAMES, predictors)
    assert table["message"].tolist() == ["'broken.cif' is empty"]


def test_a_crystal_without_symmetry_is_a_row_with_a_reason(predictors, monkeypatch):
    monkeypatch.setattr(
        "sklearn_cloud.symmetry.strings.find_symmetries",
        lambda crystals, *options: [ValueError("no space group")] * len(crystals),
    )
    table = predict_entries(ENTRIES[1:3], NAMES, predictors)
    assert line(table, "CsCl.cif", "bulk_modulus")["message"] == "no space group"
    assert line(table, "NaCl", "experimental_band_gap")["value"] > 0


def test_choices():
    choices = list_choices()
    assert set(list_predictors()) < set(choices)
    assert choices["bulk_modulus"] == ("bulk modulus (Voigt-Reuss-Hill)", "GPa")
    assert choices["is_metal"][1] == "probability"
    assert choices["debye_temperature"][1] == "K"
    told = describe_choices(["bulk_modulus", "debye_temperature"])
    assert told["origin"].tolist()[1] == "follows from bulk modulus and shear modulus"
    assert all(told["limits"])
