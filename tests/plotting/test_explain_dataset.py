import numpy as np
import pytest

from sklearn_cloud.explanations import explain_dataset, explain_prediction

METHODS = ["integrated_gradients", "occlusion"]


def test_parts_add_up_to_the_prediction(regressor, strings):
    table = explain_dataset(regressor, strings, by="part")
    assert sorted(table.index) == ["composition", "generator", "sites"]
    assert table["n_crystals"].to_dict() == {"generator": 4, "sites": 5, "composition": 5}
    explanations = [explain_prediction(regressor, string) for string in strings]
    total = np.mean([e.prediction - e.baseline for e in explanations])
    assert (table["mean"] * table["n_crystals"]).sum() / 5 == pytest.approx(total, abs=1e-3)
    assert (table["mean_abs"] >= table["mean"].abs() - 1e-12).all()
    assert table["mean_abs"].is_monotonic_decreasing


@pytest.mark.parametrize("method", METHODS)
def test_tokens_by_hand(regressor, strings, method):
    table = explain_dataset(regressor, strings, method=method)
    frames = [explain_prediction(regressor, s, method=method).to_frame() for s in strings]
    for part, token in [("generator", "O"), ("sites", "Cl"), ("composition", "0.5")]:
        sums = [
            f.loc[(f["part"] == part) & (f["token"] == token), "attribution"].sum()
            for f in frames
            if ((f["part"] == part) & (f["token"] == token)).any()
        ]
        row = table.loc[(part, token)]
        assert row["mean_abs"] == pytest.approx(np.abs(sums).mean(), abs=1e-6)
        assert row["mean"] == pytest.approx(np.mean(sums), abs=1e-6)
        assert row["n_crystals"] == len(sums)
    assert table.index.names == ["part", "token"]
    assert "special" not in table.index.get_level_values("part")


def test_elements_take_their_fractions_and_sites(regressor):
    string = "0 1 b O O O 0 | 1a Na 1b O | Na 0.5 O 0.5"
    table = explain_dataset(regressor, [string], by="element")
    attributions = explain_prediction(regressor, string).attributions
    # [CLS] 0 1 b O O O 0 | 1a Na 1b O | Na 0.5 O 0.5 [SEP]
    assert table.loc["Na", "mean"] == pytest.approx(attributions[[10, 14, 15]].sum(), abs=1e-6)
    assert table.loc["O", "mean"] == pytest.approx(attributions[[12, 16, 17]].sum(), abs=1e-6)
    assert len(table) == 2


def test_repeated_crystals_count_as_often_as_they_are_there(regressor, strings):
    many = [strings[0]] * 3 + [strings[2]]
    table = explain_dataset(regressor, many, by="part")
    means = [explain_dataset(regressor, [s], by="part")["mean"] for s in (strings[0], strings[2])]
    assert table["n_crystals"].tolist() == [4, 4, 4]
    expected = (3 * means[0] + means[1]) / 4
    np.testing.assert_allclose(table["mean"], expected[table.index], atol=1e-9)


def test_crystals_in_a_pipeline(pipeline, crystals):
    of_crystals = explain_dataset(pipeline, crystals[0], by="element", n_steps=4)
    strings = pipeline[:-1].transform(crystals[0])
    of_strings = explain_dataset(pipeline[-1], strings, by="element", n_steps=4)
    np.testing.assert_array_equal(of_crystals.to_numpy(), of_strings.to_numpy())
    assert set(of_crystals.index) == {e.symbol for c in crystals[0] for e in c.composition}


def test_classes(classifier, strings):
    table = explain_dataset(classifier, strings, by="part", target="wide", method="occlusion")
    other = explain_dataset(classifier, strings, by="part", target="narrow", method="occlusion")
    np.testing.assert_allclose(table["mean"], -other["mean"][table.index], atol=1e-6)


def test_progress_bar_on_request(regressor, strings, capsys):
    explain_dataset(regressor, strings[:2], by="part", n_steps=2)
    assert capsys.readouterr().err == ""
    explain_dataset(regressor, strings[:2], by="part", n_steps=2, verbose=1)
    assert "2/2" in capsys.readouterr().err


def test_bad_groups(regressor, strings):
    with pytest.raises(ValueError, match="'token', 'element', 'part', got 'atom'"):
        explain_dataset(regressor, strings, by="atom")
