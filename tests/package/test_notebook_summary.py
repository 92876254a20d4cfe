"""What estimators and datasets show in a notebook."""

import re

import pandas as pd
import pytest

from sklearn_cloud import CloudEmbedder, CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.baselines import MagpieForestRegressor
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.datasets import describe_crystals, load_example, read_crystals
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.features import MagpieFeatures
from sklearn_cloud.notebook import html_rows

STRINGS = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5"] * 6
TINY = EncoderConfig(n_layers=1, n_heads=2, width=16)


def text_of(html):
    return re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]+>", " ", html, flags=re.S)


@pytest.fixture(scope="module")
def fitted():
    return CloudRegressor(TINY, max_epochs=2, random_state=0).fit(STRINGS, range(12))


def test_a_fitted_network_says_what_it_was_fitted_on(fitted):
    shown = " ".join(text_of(fitted._repr_html_()).split())
    assert "fitted on 12 rows" in shown
    assert "predicts 1 number per row" in shown
    assert "epochs 2, weights of epoch" in shown
    assert "expected error not known: use cross-validation" in shown


def test_a_fitted_forest_says_what_it_was_fitted_on():
    model = MagpieForestRegressor(n_estimators=2, random_state=0)
    assert "fitted on" not in model._repr_html_()
    model.fit(["NaCl", "KCl", "NaBr"], [8.5, 8.3, 7.3])
    shown = " ".join(text_of(model._repr_html_()).split())
    assert "fitted on 3 rows" in shown and "predicts 1 number per row" in shown
    assert "expected error not known: use cross-validation" in shown


def test_an_unfitted_one_says_nothing():
    assert "fitted on" not in CloudRegressor()._repr_html_()


def test_an_ensemble_shows_its_expected_error():
    pytest.importorskip("matminer")
    from sklearn_cloud import CrystalRegressor

    example = load_example()
    model = CrystalRegressor("fast", members=["extra-trees"], cv=2, random_state=0)
    model.fit(example.structures[::9], example.target[::9])
    shown = " ".join(text_of(model._repr_html_()).split())
    assert f"expected error {model.expected_error_:.3g} (mean absolute error" in shown
    assert "fitted on 34 rows" in shown
    assert "members extra-trees 100 %" in shown


@pytest.mark.parametrize(
    ("estimator", "page"),
    [
        (CloudRegressor(), "sklearn_cloud.CloudRegressor"),
        (CloudEmbedder(), "sklearn_cloud.CloudEmbedder"),
        (SymmetryStringTransformer(), "sklearn_cloud.SymmetryStringTransformer"),
        (MagpieFeatures(), "sklearn_cloud.features.MagpieFeatures"),
    ],
)
def test_link_to_the_documentation(estimator, page, monkeypatch):
    assert estimator._get_doc_link() == ""
    monkeypatch.setenv("SKLEARN_CLOUD_DOCS", "https://docs.example/")
    link = f"https://docs.example/api/generated/{page}.html"
    assert estimator._get_doc_link() == link
    assert link in estimator._repr_html_()


def test_text_is_escaped():
    assert html_rows({"<b>": "<i>"}).count("&lt;") == 2
    assert html_rows({}) == ""


def test_datasets_show_their_rows():
    example = load_example()
    assert repr(example) == "<CrystalData: 302 crystals, band_gap from 0.11 to 14.2 eV>"
    page = example._repr_html_()
    assert "F d -3 m (227)" in page and "5.47" in page
    assert page.count("<tr") == 6  # the header and five rows
    table = pd.DataFrame({"formula": ["NaCl", "MgO"], "kind": ["<b>", "oxide"]})
    data = read_crystals(table, "kind")
    assert repr(data) == "<CrystalData: 2 crystals, kind with 2 values>"
    assert "&lt;b&gt;" in data._repr_html_() and "<b>" not in data._repr_html_()
    assert "NaCl" in read_crystals(table)._repr_html_()


def test_crystals_show_their_formula():
    silicon = read_crystal(load_example().structures[1])
    assert repr(silicon) == "<Crystal Si, 8 sites>"
    assert "<Crystal Si, 8 sites>" in repr(read_crystals([load_example().structures[1]]).crystals)


def test_describe_crystals():
    example = load_example()
    crystals = pd.Series(example.structures[:3], index=["a", "b", "c"])
    table = describe_crystals(crystals)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["formula"].tolist() == ["C", "Si", "Ge"]
    assert table["space_group"].tolist() == ["F d -3 m (227)"] * 3
    assert table["volume_per_atom"].iloc[1] == pytest.approx(example.structures[1].volume / 8)
    formulas = describe_crystals(["Fe2O3", "Fe0.7Ni0.3"])
    assert formulas["formula"].tolist() == ["Fe2O3", "Fe0.7Ni0.3"]
    assert formulas["space_group"].isna().all()
