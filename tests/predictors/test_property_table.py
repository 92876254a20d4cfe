import numpy as np
import pandas as pd
import pytest
from pymatgen.core import Lattice, Structure
from scipy.constants import Avogadro, Boltzmann, Planck

from sklearn_cloud.crystals.reading import read_crystal
from sklearn_cloud.predictors import (
    frozen_predictor,
    load_predictor,
    predict_properties,
    predictor_input,
)
from sklearn_cloud.predictors.derived import DERIVED, bulk_of, derive
from sklearn_cloud.predictors.property_table import COLUMNS

MAGNESIA = Structure.from_spacegroup(
    "Fm-3m", Lattice.cubic(4.212), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
)
DISORDERED = Structure(Lattice.cubic(2.9), [{"Fe": 0.5, "Co": 0.5}], [[0, 0, 0]])


def exact(value):
    return dict.fromkeys(("value", "lower", "upper"), np.array([value]))


def test_derived_quantities_of_magnesia():
    """Measured moduli of MgO (162 and 131 GPa) give its measured velocities and temperature."""
    inputs = {"bulk_modulus": exact(162.0), "shear_modulus": exact(131.0)}
    bulk = bulk_of([read_crystal(MAGNESIA)])
    assert bulk.density[0] == pytest.approx(3584, rel=0.01)
    found = {name: derive(name, inputs, bulk)["value"][0] for name in DERIVED}
    assert found["youngs_modulus"] == pytest.approx(310, rel=0.02)
    assert found["poisson_ratio"] == pytest.approx(0.18, abs=0.01)
    assert found["pugh_ratio"] == pytest.approx(162 / 131)
    assert found["longitudinal_sound_velocity"] == pytest.approx(9690, rel=0.01)
    assert found["transverse_sound_velocity"] == pytest.approx(6040, rel=0.01)
    assert found["debye_temperature"] == pytest.approx(945, rel=0.01)
    # Anderson's equation with the molar mass
    transverse, longitudinal = (
        found["transverse_sound_velocity"],
        found["longitudinal_sound_velocity"],
    )
    mean = ((2 / transverse**3 + 1 / longitudinal**3) / 3) ** (-1 / 3)
    atoms = 2 * Avogadro * bulk.density[0] / 0.0403044
    expected = Planck / Boltzmann * (3 * atoms / (4 * np.pi)) ** (1 / 3) * mean
    assert found["debye_temperature"] == pytest.approx(expected, rel=1e-4)


def test_intervals_are_propagated():
    shear = {"value": np.array([80.0]), "lower": np.array([70.0]), "upper": np.array([95.0])}
    one = derive("pugh_ratio", {"bulk_modulus": exact(160.0), "shear_modulus": shear}, None)
    assert (one["lower"][0], one["upper"][0]) == (
        pytest.approx(160 / 95),
        pytest.approx(160 / 70),
    )
    k = {"value": np.array([160.0]), "lower": np.array([150.0]), "upper": np.array([170.0])}
    both = derive("pugh_ratio", {"bulk_modulus": k, "shear_modulus": shear}, None)
    expected = np.hypot(160 / 70 - 2, 170 / 80 - 2)
    assert both["upper"][0] - 2 == pytest.approx(expected)
    assert both["lower"][0] < one["lower"][0]


def test_intervals_end_at_the_limits_of_a_quantity():
    wide = {"value": np.array([80.0]), "lower": np.array([1.0]), "upper": np.array([400.0])}
    inputs = {"bulk_modulus": wide, "shear_modulus": wide}
    poisson = derive("poisson_ratio", inputs, None)
    assert poisson["lower"][0] == -1 and poisson["upper"][0] == 0.5
    assert derive("youngs_modulus", inputs, None)["lower"][0] >= 0


def test_table(data, crystals):
    names = ["bulk_modulus", "debye_temperature", "experimental_is_metal"]
    table = predict_properties(crystals[0][:3], names)
    assert tuple(table.columns) == COLUMNS
    assert table["row"].tolist() == [0] * 3 + [1] * 3 + [2] * 3
    assert table["property"].tolist() == names * 3
    assert table["unit"].tolist()[:3] == ["GPa", "K", ""]
    values = table.pivot(index="row", columns="property", values="value")
    predictor = load_predictor("bulk_modulus")
    np.testing.assert_allclose(values["bulk_modulus"], predictor.predict(crystals[0][:3]))
    metal = load_predictor("experimental_is_metal").predict_proba(crystals[0][:3])[:, 1]
    np.testing.assert_allclose(values["experimental_is_metal"], metal)
    bounded = table[table["property"] != "experimental_is_metal"]
    assert (bounded["lower"] < bounded["value"]).all() and (
        bounded["value"] < bounded["upper"]
    ).all()
    assert (
        table[table["property"] == "experimental_is_metal"][["lower", "upper"]]
        .isna()
        .all(axis=None)
    )
    wide = predict_properties(crystals[0][:3], "bulk_modulus", coverage=0.95)
    assert (wide["upper"] > bounded[bounded["property"] == "bulk_modulus"]["upper"].array).all()


def test_crystals_are_described_once(data, crystals, monkeypatch):
    calls = []
    describe = frozen_predictor.describe

    def counted(*arguments, **options):
        calls.append(arguments[3])
        return describe(*arguments, **options)

    monkeypatch.setattr(frozen_predictor, "describe", counted)
    names = ["bulk_modulus", "shear_modulus", "experimental_band_gap", "poisson_ratio"]
    predict_properties(crystals[0][:2], names)
    # a trial of each of the three that are loaded; then structures and formulas
    assert len(calls) == 3 + 2


def test_bad_rows(data, crystals):
    rows = [crystals[0][0], DISORDERED, "NaCl"]
    with pytest.raises(ValueError, match="row 1: the crystal is disordered"):
        predict_properties(rows, ["bulk_modulus", "experimental_band_gap"])
    with pytest.warns(UserWarning, match="2 of 3 rows"):
        table = predict_properties(
            rows, ["youngs_modulus", "experimental_band_gap"], on_error="warn"
        )
    assert table["value"].isna().tolist() == [False, False, True, False, True, False]
    assert table["warning"].tolist()[2] == table["warning"].tolist()[4] == "cannot be predicted"


def test_warnings(data, crystals):
    curium = Structure(Lattice.cubic(5.0), ["Cm", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    table = predict_properties([crystals[0][0], curium], "bulk_modulus")
    assert table["warning"].tolist()[1] == "elements not in the training crystals: Cm"
    assert table["applicability"].tolist()[1] == 0.0


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["bulk_modulus", "hardness"], "no predictor called 'hardness'"),
        (["bulk_modulus", "bulk_modulus"], "different names"),
        ([], "one or more"),
        ("debye_temperatur", "Did you mean 'debye_temperature'"),
        ("formation_energy", "no predictor called 'formation_energy'"),
    ],
)
def test_bad_names(names, message, data, crystals):
    with pytest.raises(ValueError, match=message):
        predict_properties(crystals[0][:1], names)


def test_bad_coverage(data, crystals):
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        predict_properties(crystals[0][:1], "bulk_modulus", coverage=90)


def test_blocks_do_not_matter(data, crystals, monkeypatch):
    """Crystals are read in blocks, but messages number all rows, once."""
    curium = Structure(Lattice.cubic(5.0), ["Cm", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    rows = [*crystals[0][:3], DISORDERED, curium, *crystals[0][3:5], "NaCl"]
    names = ["bulk_modulus", "experimental_band_gap"]
    predictor = load_predictor("bulk_modulus", on_error="warn")
    with pytest.warns(UserWarning, match="2 of 8 rows"):
        whole, values = predict_properties(rows, names, on_error="warn"), predictor.predict(rows)
    monkeypatch.setattr(predictor_input, "BLOCK", 2)
    with pytest.warns(UserWarning, match=r"2 of 8 rows cannot be used.*rows \[3, 7\]") as caught:
        table = predict_properties(rows, names, on_error="warn")
    assert len(caught) == 1
    pd.testing.assert_frame_equal(table, whole)
    with pytest.warns(UserWarning, match="1 of 8 crystals have elements .* row 4: Cm"):
        np.testing.assert_allclose(predictor.predict(rows), values)
    with pytest.raises(ValueError, match="2 of 8 rows cannot be used: row 3: .*; row 7: "):
        predict_properties(rows, names)


def test_properties_are_names(data, crystals):
    names = ["bulk_modulus", "experimental_band_gap"]
    found = predict_properties(crystals[0][:1], iter(names))
    assert found["property"].tolist() == names
    for wrong in (None, 5, [5], [names]):
        with pytest.raises(TypeError, match="properties must be names of properties, got"):
            predict_properties(crystals[0][:1], wrong)
