import pandas as pd
import pytest

from sklearn_cloud.__main__ import main
from sklearn_cloud.cli import inputs
from sklearn_cloud.predictors import load_predictor, loading


@pytest.fixture
def files(crystals, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        crystals[0][number].to(filename=f"{number}.cif")
    return ["0.cif", "1.cif"]


def test_one_property(files, data, crystals):
    assert main(["predict", "bulk_modulus", *files, "-o", "out.csv", "--quiet"]) == 0
    table = pd.read_csv("out.csv", keep_default_na=False)
    assert table.columns.tolist() == [
        "file", "property", "value", "lower", "upper", "unit", "applicability", "warning",
    ]  # fmt: skip
    expected = load_predictor("bulk_modulus").predict(crystals[0][:2])
    assert table["value"].tolist() == pytest.approx(expected, rel=1e-3)
    assert table["unit"].tolist() == ["GPa", "GPa"]


def test_several_properties_of_a_table(files, data):
    pd.DataFrame({"id": ["a", "b"], "file": files}).to_csv("table.csv", index=False)
    names = "bulk_modulus,poisson_ratio,experimental_band_gap"
    command = ["predict", names, "table.csv", "-o", "out.csv", "--coverage", "0.8"]
    assert main(command) == 0
    table = pd.read_csv("out.csv")
    assert table["id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert table["property"].tolist() == names.split(",") * 2
    assert main([*command[:5], "--overwrite"]) == 0
    wider = pd.read_csv("out.csv")
    assert (wider["upper"] >= table["upper"]).all() and (wider["upper"] > table["upper"]).any()


def test_a_parquet_column_that_begins_empty(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, "CHUNK", 2)
    table = pd.DataFrame({"formula": ["NaCl", "KCl", "LiF"], "note": [None, None, "late"]})
    table.to_parquet("table.parquet")
    command = ["predict", "experimental_band_gap", "table.parquet", "-o", "out.parquet"]
    assert main(command) == 0
    assert pd.read_parquet("out.parquet")["note"].tolist() == [None, None, "late"]


def test_bad_crystals_are_named_or_skipped(files, data, capsys):
    pd.DataFrame({"formula": ["NaCl", "Xx", "KCl"]}).to_csv("formulas.csv", index=False)
    assert main(["predict", "bulk_modulus", "formulas.csv"]) == 1
    assert "needs a crystal structure" in capsys.readouterr().err
    command = ["predict", "experimental_band_gap", "formulas.csv", "-o", "out.csv"]
    assert main(command) == 1
    assert "'Xx'" in capsys.readouterr().err
    assert main([*command, "--skip-bad"]) == 0
    assert pd.read_csv("out.csv")["formula"].tolist() == ["NaCl", "KCl"]


def test_list(data, capsys, tmp_path, monkeypatch):
    assert main(["predict", "--list"]) == 0
    text = capsys.readouterr().out
    for name in ("bulk_modulus", "GPa", "debye_temperature", "formula", "% right"):
        assert name in text
    assert "yield_strength" not in text
    monkeypatch.setattr(loading, "DATA", tmp_path / "none")
    assert main(["predict", "--list"]) == 0
    assert "no ready-made predictors" in capsys.readouterr().out


def test_wrong_names(files, data, capsys):
    assert main(["predict", "bulk-modulus", *files]) == 1
    text = capsys.readouterr().err
    assert "no model folder 'bulk-modulus'" in text and "Did you mean 'bulk_modulus'" in text
    assert main(["predict", "bulk_modulus"]) == 2
    assert main(["predict"]) == 2
    assert "name a model or properties" in capsys.readouterr().err
