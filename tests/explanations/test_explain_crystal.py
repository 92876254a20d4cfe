"""explain_crystal: how elements, sites, symmetry and cell change a prediction."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import NotFittedError

from sklearn_cloud import CrystalError
from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.datasets import load_example
from sklearn_cloud.explanations import (
    CrystalExplanation,
    explain_crystal,
    explain_crystals,
    nearest_crystals,
)
from sklearn_cloud.explanations.variants import make_variants, replace_element, similar_elements
from sklearn_cloud.symmetry.search import find_symmetry

EXAMPLE = load_example()
TITANATE = EXAMPLE.structures[EXAMPLE.frame.index[EXAMPLE.frame["formula"] == "SrTiO3"][0]]


class Rule(RegressorMixin, BaseEstimator):
    """A known function of the crystal in place of a learned one."""

    def __init__(self, rule):
        self.rule = rule

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.array([self.rule(read_crystal(crystal)) for crystal in X], dtype=float)


class RuleClassifier(ClassifierMixin, BaseEstimator):
    classes_ = np.array(["metal", "insulator"])

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict_proba(self, X):
        chance = [0.9 if "O" in read_crystal(crystal).composition else 0.2 for crystal in X]
        return np.column_stack([1 - np.array(chance), chance])


def fraction(element):
    def rule(crystal):
        amounts = crystal.composition
        return amounts.get(element, 0.0) / sum(amounts.values())

    return rule


def contributions(explanation, kind):
    table = explanation.contributions
    table = table[table["kind"] == kind]
    return dict(zip(table["name"], table["contribution"]))


def test_an_element_contributes_what_its_substitutes_lack():
    model = Rule(fraction("O")).fit(None, None)
    explanation = explain_crystal(model, TITANATE)
    assert explanation.prediction == pytest.approx(0.6)
    assert contributions(explanation, "element") == pytest.approx({"Sr": 0, "Ti": 0, "O": 0.6})
    assert contributions(explanation, "site") == pytest.approx(
        {"1a Sr": 0, "1b Ti": 0, "3c O": 0.6}
    )
    assert explanation.space_group == "P m -3 m (221)"
    assert set(contributions(explanation, "symmetry")) == {"space group P m -3 m (221)"}


def test_sites_of_one_element_are_told_apart():
    spinel = EXAMPLE.structures[EXAMPLE.frame.index[EXAMPLE.frame["prototype"] == "spinel"][0]]
    crystal = replace_element(read_crystal(spinel), "Al", "Mg")  # both cations are Mg
    variants = {one.name: one.crystal for one in make_variants(crystal) if one.kind == "site"}
    assert set(variants) == {"8a Mg", "16d Mg", "32e O"}
    share = {name: one.composition["Mg"] / 56 for name, one in variants.items() if "Mg" in name}
    assert share == pytest.approx({"8a Mg": 16 / 56, "16d Mg": 8 / 56})


def test_symmetry_and_cell():
    number = Rule(lambda c: float(find_symmetry(c, symprec=0.1).number)).fit(None, None)
    explanation = explain_crystal(number, TITANATE)
    assert contributions(explanation, "symmetry")["space group P m -3 m (221)"] == 220  # P1 is left
    assert contributions(explanation, "cell") == {"volume": 0}
    volume = Rule(lambda c: abs(np.linalg.det(c.lattice))).fit(None, None)
    explanation = explain_crystal(volume, TITANATE)
    share = contributions(explanation, "cell")["volume"] / explanation.prediction
    assert share == pytest.approx(-0.05)
    assert contributions(explanation, "element") == pytest.approx({"Sr": 0, "Ti": 0, "O": 0})


def test_substitutes_are_a_choice():
    sulfur = Rule(fraction("S")).fit(None, None)
    options = {"substitutes": {"O": ["S"]}}
    explanation = explain_crystal(sulfur, TITANATE, **options)
    assert contributions(explanation, "element")["O"] == pytest.approx(-0.6)
    (oxygen,) = explanation.contributions.query("name == 'O'")["instead"]
    assert oxygen == "S"


def test_formulas_have_only_elements():
    explanation = explain_crystal(Rule(fraction("Cl")).fit(None, None), "NaCl")
    assert explanation.space_group is None
    assert contributions(explanation, "element") == {"Na": 0, "Cl": 0.5}
    assert set(explanation.contributions["kind"]) == {"element"}


def test_classes():
    model = RuleClassifier().fit(None, None)
    explanation = explain_crystal(model, TITANATE)
    assert explanation.target == "insulator"
    assert contributions(explanation, "element")["O"] == pytest.approx(0.7)
    other = explain_crystal(model, TITANATE, target="metal")
    assert contributions(other, "element")["O"] == pytest.approx(-0.7)
    with pytest.raises(ValueError, match="target='glass' is not one of the classes"):
        explain_crystal(model, TITANATE, target="glass")


def test_readable(capsys):
    text = repr(explain_crystal(Rule(fraction("O")).fit(None, None), TITANATE, unit="eV"))
    lines = text.splitlines()
    assert lines[0] == "SrTiO3, P m -3 m (221): 0.6 eV"
    assert lines[1] == "Elements"
    assert lines[2].split() == ["O", "instead", "of", "S", "+0.6", "eV"]  # the largest first
    page = explain_crystal(Rule(fraction("O")).fit(None, None), TITANATE, unit="<b>")._repr_html_()
    assert "3c O" in page and "&lt;b&gt;" in page and "<b><" not in page


def test_a_table_of_crystals():
    model = Rule(fraction("O")).fit(None, None)
    table = explain_crystals(model, [TITANATE, EXAMPLE.structures[1]])
    assert table["row"].unique().tolist() == [0, 1]
    one = explain_crystal(model, TITANATE).contributions
    mine = table[table["row"] == 0].reset_index(drop=True)
    assert mine[one.columns].equals(one)
    assert mine["formula"].unique().tolist() == ["SrTiO3"]


def test_similar_elements():
    assert similar_elements("Cl") == ["F", "Br"]
    assert similar_elements("O") == ["S"]
    assert similar_elements("Nd") == ["Pr", "Pm"]
    assert similar_elements("Lr") == ["No"]
    assert similar_elements("Rf") == []


def test_replacing_an_element_by_one_that_is_there():
    crystal = read_crystal(TITANATE)
    changed = replace_element(crystal, "Sr", "Ti")
    assert changed.composition == {"Ti": 2.0, "O": 3.0}
    assert replace_element(read_crystal("NaKCl2"), "K", "Na").composition == {"Na": 2, "Cl": 2}
    assert crystal.composition == {"Sr": 1, "Ti": 1, "O": 3}  # the input stays


def test_bad_input():
    model = Rule(fraction("O")).fit(None, None)
    with pytest.raises(CrystalError, match="nowhere.cif"):
        explain_crystal(model, "nowhere.cif")
    with pytest.raises(NotFittedError):
        explain_crystal(Rule(fraction("O")), TITANATE)
    with pytest.raises(ValueError, match="explains a single target"):
        explain_crystal(_Two(None).fit(None, None), "NaCl")


class _Two(Rule):
    def predict(self, X):
        return np.zeros((len(X), 2))


def test_nearest_crystals():
    training, gaps = EXAMPLE.structures[:30], EXAMPLE.target[:30]
    ids = [f"id{row}" for row in range(30)]
    found = nearest_crystals(training[[4, 7]], training, gaps, ids=ids, n=2)
    first = found.groupby("row").first()
    assert first["nearest"].tolist() == ["id4", "id7"]
    assert first["distance"].tolist() == pytest.approx([0, 0], abs=1e-3)
    assert first["value"].tolist() == gaps[[4, 7]].tolist()
    assert found["distance"].iloc[1] >= found["distance"].iloc[0]
    assert len(found) == 4
    assert len(nearest_crystals(["NaCl"], ["KCl", "RbCl"], n=9)) == 2
    with pytest.raises(ValueError, match="n must be a positive integer"):
        nearest_crystals(["NaCl"], ["KCl"], n=0)
    with pytest.raises(ValueError, match="y has 2"):
        nearest_crystals(["NaCl"], ["KCl"], [1, 2])


def test_the_display_draws_the_contributions_in_the_order_of_the_text():
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("Agg")
    from sklearn_cloud.plotting import ContributionDisplay

    table = pd.DataFrame(
        {
            "kind": ["cell", "element", "element"],
            "name": ["volume", "Na", "Cl"],
            "instead": ["one 5 % larger", "Li, K", "F, Br"],
            "contribution": [0.5, 0.1, -0.3],
        }
    )
    explanation = CrystalExplanation("NaCl", None, 8.4, table, unit="eV")
    display = ContributionDisplay(explanation).plot()
    assert [bar.get_width() for bar in display.bars_] == [-0.3, 0.1, 0.5]
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert labels[0] == "Cl\ninstead of F, Br"
    lines = repr(explanation).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["Elements", "Cl", "Na", "Cell", "volume"]
    assert display.ax_.get_xlabel().endswith("(eV)")
    plt.close(display.figure_)


@pytest.mark.parametrize("others", ["Si", ["Zz"]])
def test_substitutes_that_are_no_elements(others):
    model = Rule(fraction("Cl")).fit(None, None)
    with pytest.raises(ValueError, match="substitutes of 'Na' must be a list of elements"):
        explain_crystal(model, "NaCl", substitutes={"Na": others})
