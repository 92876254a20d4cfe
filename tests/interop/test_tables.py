"""Crystals, formulas and strings in pandas and polars, in and out."""

import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
from sklearn_cloud.encoder import EncoderConfig

pl = pytest.importorskip("polars", reason="needs polars")

CSCL = Structure(Lattice.cubic(4.12), ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CRYSTALS = [
    CSCL,
    CSCL.copy().replace_species({"Cl": "Br"}),
    CSCL.copy().replace_species({"Cs": "K"}),
]
FORMULAS = ["NaCl", "Si", "MgO"]


def objects(values):
    return pl.Series("crystal", values, dtype=pl.Object)


TABLES = {
    "pandas Series": lambda values: pd.Series(values, index=[7, 7, 2]),
    "pandas DataFrame": lambda values: pd.DataFrame({"crystal": values}),
    "polars Series": objects,
    "polars DataFrame": lambda values: pl.DataFrame({"crystal": objects(values)}),
}
TEXTS = {
    "pandas string": lambda values: pd.Series(values, dtype="string"),
    "pandas DataFrame": lambda values: pd.DataFrame({"text": values}),
    "polars Series": pl.Series,
    "polars DataFrame": lambda values: pl.DataFrame({"text": values}),
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_crystals(table):
    transformer = SymmetryStringTransformer()
    expected = transformer.fit_transform(CRYSTALS)
    assert len(set(expected)) == 3
    assert transformer.fit_transform(table(CRYSTALS)).tolist() == expected.tolist()


@pytest.mark.parametrize("table", TEXTS.values(), ids=TEXTS)
def test_formulas(table):
    expected = ["Na 0.5 Cl 0.5", "Si 1.0", "Mg 0.5 O 0.5"]
    assert SymmetryStringTransformer().fit_transform(table(FORMULAS)).tolist() == expected


@pytest.mark.parametrize("table", TEXTS.values(), ids=TEXTS)
def test_strings_and_targets(table):
    strings = ["1a 1b | Na 0.5 Cl 0.5", "8a | Si 1.0", "4a 4b | Mg 0.5 O 0.5"] * 4
    target = np.array([8.5, 1.1, 7.8] * 4)
    config = EncoderConfig(n_layers=1, n_heads=2, width=16)
    model = CloudRegressor(config, max_epochs=2, random_state=0)
    expected = cross_val_predict(model, strings, target, cv=2)
    for y in (target, pd.Series(target), pl.Series(target)):
        np.testing.assert_array_equal(cross_val_predict(model, table(strings), y, cv=2), expected)


@pytest.mark.parametrize(("output", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_output(output, kind):
    transformer = SymmetryStringTransformer().set_output(transform=output)
    table = transformer.fit_transform(CRYSTALS)
    assert isinstance(table, kind) and list(table.columns) == ["symmetry_string"]
    config = EncoderConfig(n_layers=1, n_heads=2, width=16)
    model = make_pipeline(transformer, CloudRegressor(config, max_epochs=1, random_state=0))
    predicted = model.fit(CRYSTALS, [1.0, 2.0, 3.0]).predict(CRYSTALS)
    plain = model.set_output(transform="default").fit(CRYSTALS, [1.0, 2.0, 3.0]).predict(CRYSTALS)
    np.testing.assert_array_equal(predicted, plain)
