import warnings

import numpy as np
import pytest
from pymatgen.core import Composition

from sklearn_cloud import CrystalError
from sklearn_cloud.crystals.formulas import read_formula


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("CuSO4.5H2O", "CuSO4(H2O)5"),
        ("CuSO4·5H2O", "CuSO4(H2O)5"),
        ("CuSO4 * 5 H2O", "CuSO4(H2O)5"),
        ("Al2(SO4)3.18H2O", "Al2(SO4)3(H2O)18"),
        ("CaSO4.0.5H2O", "CaSO4(H2O)0.5"),
        ("Ca(OH)2.H2O", "Ca(OH)2H2O"),
        ("Na₂O", "Na2O"),
        ("MgO·Al₂O₃", "MgAl2O4"),
        ("D2O", "H2O"),
        ("[Fe(CN)6]K3", "K3Fe(CN)6"),
        ("Li0.5CoO2", "Li0.5CoO2"),
        ("2H2O", "H4O2"),
        (" Na Cl ", "NaCl"),
        ("Fe2 O3", "Fe2O3"),
        ("CoO", "CoO"),
        ("COO", "CO2"),
        ("H1e1La", "LaH10"),
    ],
)
def test_formulas_as_people_write_them(formula, same):
    expected = {element.symbol: amount for element, amount in Composition(same).items()}
    assert read_formula(formula).composition == pytest.approx(expected)


def test_isotopes_are_noted_once():
    notes = []
    read_formula("D2O", notes)
    assert notes == ["D was read as H"]


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("CaO.2SiO2", "may be a decimal point or join two parts"),
        ("Li.5CoO2", "may be a decimal point or join two parts"),
        ("Fe1" * 400, "has 1200 characters, more than"),
        ("Fe" + "9" * 400, "an amount that is not positive"),
        ("Fe1e308Co1e308", "too large"),
        ("Na0", "contains no atoms"),
        ("(Fe", "missing ')'"),
        ("Fe)2", "unexpected ')'"),
        ("(" * 900 + "Fe", "missing ')'"),
        ("NaCl-", "'-' is not an element or a number"),
        ("NaCl2 3", "the number 3 does not follow an element"),
        ("Qq2O3", "'Qq', which is not one of the 118 elements"),
        ("co", "'co' is not an element"),
        ("", "contains no elements"),
    ],
)
def test_what_is_not_a_formula(formula, message):
    with pytest.raises(CrystalError) as caught:
        read_formula(formula)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


def test_amounts_are_those_of_pymatgen():
    rng = np.random.default_rng(0)
    elements = np.array(["Fe", "C", "Mn", "Cr", "Ni", "Mo", "V", "N", "Co", "W"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(50):
            chosen = rng.choice(elements, 6, replace=False)
            formula = "".join(f"{e}{amount:.6g}" for e, amount in zip(chosen, rng.random(6) + 1e-3))
            expected = {e.symbol: amount for e, amount in Composition(formula).items()}
            assert read_formula(formula).composition == pytest.approx(expected, rel=1e-12)
