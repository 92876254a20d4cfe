import numpy as np
import pytest
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition
from scipy.optimize import linprog

from sklearn_cloud.evaluation import ConvexHull, roc_points, rolling_error, stability_table

NAN = float("nan")


def test_distances_by_hand():
    hull = ConvexHull(["NaCl", "NaCl", "Na2O", "Cl"], [-2.0, -1.5, -1.2, 0.3])
    assert hull.n_phases == 2
    found = hull.energy_above_hull(["Na2Cl2", "NaCl", "Na3Cl", "Cl", "Na2O"], [-2, -2.5, 0, 0.3, 0])
    np.testing.assert_allclose(found, [0, -0.5, 1.0, 0.3, 1.2], atol=1e-9)


def random_phases(seed, n=120):
    rng = np.random.RandomState(seed)
    elements = np.array(["Li", "Mn", "Fe", "O", "F"])
    formulas, energies = [], []
    for _ in range(n):
        chosen = rng.choice(elements, rng.randint(1, 5), replace=False)
        formulas.append("".join(f"{e}{rng.randint(1, 5)}" for e in chosen))
        energies.append(rng.normal(-0.6 * (len(chosen) > 1), 0.5))
    return formulas, np.array(energies)


@pytest.mark.parametrize("seed", [0, 1])
def test_hull_equals_a_linear_program(seed):
    formulas, energies = random_phases(seed)
    candidates, _ = random_phases(seed + 10, 40)
    elements = ["Li", "Mn", "Fe", "O", "F"]

    def fractions(formula):
        return [Composition(formula).get_atomic_fraction(e) for e in elements]

    # the cheapest mixture of phases and elements with the candidate's composition
    matrix = np.array([fractions(f) for f in formulas] + np.eye(5).tolist()).T
    costs = np.append(energies, np.zeros(5))
    expected = [linprog(costs, A_eq=matrix, b_eq=fractions(c)).fun for c in candidates]
    found = ConvexHull(formulas, energies).hull_energies(candidates)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_hull_equals_pymatgen_on_the_whole_system():
    formulas, energies = random_phases(3)
    entries = [PDEntry(Composition(e), 0.0) for e in ("Li", "Mn", "Fe", "O", "F")]
    for formula, energy in zip(formulas, energies):
        composition = Composition(formula)
        if len(composition) > 1:
            entries.append(PDEntry(composition, energy * composition.num_atoms))
    diagram = PhaseDiagram(entries)
    compounds = [len(Composition(f)) > 1 for f in formulas]
    hull = ConvexHull([f for f, keep in zip(formulas, compounds) if keep], energies[compounds])
    candidates = ["LiFeO2", "LiMnF3", "Fe2O3", "LiMnFeOF", "O2"]
    expected = [diagram.get_hull_energy_per_atom(Composition(c)) for c in candidates]
    np.testing.assert_allclose(hull.hull_energies(candidates), expected, atol=1e-9)


def test_known_phases_are_on_or_above_the_hull():
    formulas, energies = random_phases(4)
    hull = ConvexHull(formulas, energies)
    assert hull.energy_above_hull(formulas, energies).min() > -1e-9


def test_element_without_a_phase_has_energy_zero():
    hull = ConvexHull(["NaCl"], [-2.0])
    found = hull.hull_energies(["Xe", "KBr", "NaClXe2"])
    np.testing.assert_allclose(found, [0.0, 0.0, -1.0], atol=1e-9)


def test_missing_prediction_stays_missing():
    hull = ConvexHull(["NaCl"], [-2.0])
    np.testing.assert_array_equal(hull.energy_above_hull(["NaCl", "KCl"], [NAN, 0.5]), [NAN, 0.5])


def test_oxidation_states_and_formula_units_do_not_matter():
    hull = ConvexHull([Composition({"Na+": 1, "Cl-": 1})], [-2.0])
    np.testing.assert_array_equal(hull.hull_energies(["Na4Cl4", Composition("NaCl")]), [-2, -2])


def test_hull_energies_are_remembered(monkeypatch):
    hull = ConvexHull(["NaCl"], [-2.0])
    first = hull.hull_energies(["Na2Cl", "NaCl"])
    monkeypatch.setattr(hull, "_solve", None)
    np.testing.assert_array_equal(hull.hull_energies(["NaCl", "Na2Cl"]), first[::-1])


def test_many_phases_of_other_systems_cost_nothing(monkeypatch):
    sizes = []
    build = PhaseDiagram.__init__

    def counted(self, entries, **options):
        sizes.append(len(entries))
        build(self, entries, **options)

    monkeypatch.setattr(PhaseDiagram, "__init__", counted)
    others = [f"Li{n}Fe{m}" for n in range(1, 20) for m in range(1, 20)]
    hull = ConvexHull([*others, "NaCl"], [-0.1] * len(others) + [-2.0])
    hull.hull_energies(["NaCl", "Na2Cl", "Na3Cl"])
    assert sizes == [3]  # Na, Cl and NaCl, once


@pytest.mark.parametrize(
    ("compositions", "energies", "error", "message"),
    [
        (["NaCl", "Nope"], [0.0, 0.0], ValueError, "phase 1.*is not a chemical formula"),
        (["NaCl"], [0.0, 1.0], ValueError, "one formation energy for each of 1 compositions"),
        (["NaCl", "KCl"], [0.0, NAN], ValueError, "formation energy of phase 1 is not finite"),
        ([Composition({})], [0.0], ValueError, "phase 0 is an empty composition"),
        ([3], [0.0], TypeError, "phase 0 must be a pymatgen Composition or a formula, got int"),
    ],
)
def test_bad_phases(compositions, energies, error, message):
    with pytest.raises(error, match=message):
        ConvexHull(compositions, energies)


def test_bad_candidate():
    with pytest.raises(ValueError, match="candidate 1 contains 'Xx', which is not an element"):
        ConvexHull(["NaCl"], [-2.0]).hull_energies(["NaCl", "Xx2"])


def test_table_has_one_row_per_threshold():
    e_true, e_pred = [-0.1, -0.02, 0.02, 0.3], [-0.06, -0.01, 0.01, 0.2]
    table = stability_table(e_true, e_pred)
    assert table.index.tolist() == [-0.05, 0.0, 0.05]
    assert table["tpr"].tolist() == [0.5, 1.0, 1.0]
    assert table["precision"].tolist() == [1.0, 1.0, pytest.approx(2 / 3)]


def test_roc_points_meet_area_and_rates():
    rng = np.random.RandomState(0)
    e_true = rng.normal(0, 0.1, 300)
    e_pred = e_true + rng.normal(0, 0.1, 300)
    e_pred[:20] = NAN
    fpr, tpr, thresholds = roc_points(e_true, e_pred)
    table = stability_table(e_true, e_pred, thresholds=thresholds[1:20])
    assert np.trapezoid(tpr, fpr) == pytest.approx(table["roc_auc"].iloc[0])
    np.testing.assert_allclose(table["tpr"], tpr[1:20])
    np.testing.assert_allclose(1 - table["tnr"], fpr[1:20])
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1) and thresholds[0] == -np.inf


def test_rolling_error():
    # half a window is 0.02: the crystal at 0.03 is in none
    e_true = np.array([-0.01, 0.0, 0.01, 0.03, 0.1])
    e_pred = e_true + [0.1, -0.2, NAN, 0.9, 0.3]
    centers, mae, sem, counts = rolling_error(e_true, e_pred, window=0.04, step=0.1)
    np.testing.assert_allclose(centers, [-0.2, -0.1, 0, 0.1, 0.2], atol=1e-12)
    assert counts.tolist() == [0, 0, 2, 1, 0]
    np.testing.assert_allclose(mae, [NAN, NAN, 0.15, 0.3, NAN])
    np.testing.assert_allclose(sem, [NAN, NAN, 0.05, NAN, NAN])
    with pytest.raises(ValueError, match="must be positive"):
        rolling_error(e_true, e_pred, window=0)
    with pytest.raises(ValueError, match="must have the same shape"):
        rolling_error(e_true, e_pred[:2])
