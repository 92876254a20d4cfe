"""evaluate_model: every row predicted by models that have not seen it."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_cloud.crystals import read_crystal
from sklearn_cloud.datasets import load_example
from sklearn_cloud.evaluation import evaluate_model, evaluator
from sklearn_cloud.evaluation.json_values import plain
from sklearn_cloud.evaluation.own_folds import make_folds
from sklearn_cloud.evaluation.report import _mean_of_crystals
from sklearn_cloud.evaluation.report_text import describe_curve, quantity, summary_lines
from sklearn_cloud.features import MagpieFeatures

TABLE = load_example()
ROWS = np.arange(0, 302, 5)
CRYSTALS, GAPS = TABLE.structures[ROWS], TABLE.target[ROWS]


class MeanWithInterval(RegressorMixin, BaseEstimator):
    """The mean of the training rows, with an interval from their range."""

    def fit(self, X, y):
        self.mean_, self.range_ = y.mean(), (y.min(), y.max())
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)

    def predict_interval(self, X, coverage):
        return np.tile(self.range_, (len(X), 1))

    def applicability(self, X):
        return np.linspace(0, 1, len(X))


class Guess(ClassifierMixin, BaseEstimator):
    """The shares of the classes."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X):
        return np.repeat(self.classes_[self.shares_.argmax()], len(X))


@pytest.fixture(scope="module", autouse=True)
def small_forest():
    """Compare with a small forest on element fractions instead of the one on Magpie statistics."""

    def build(*arguments):
        models = build_models(*arguments)
        options = {"n_estimators": 5, "random_state": 0, "n_jobs": 1}
        build_model = evaluator.build_model
        forest, _ = build_model("forest", classification=arguments[2], parameters=options)
        return {name: forest if name == "magpie-forest" else m for name, m in models.items()}

    build_models = evaluator._build_models
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "_build_models", build)
        yield


@pytest.fixture(scope="module")
def report(small_forest):
    return evaluate_model(
        CRYSTALS,
        GAPS,
        model=MeanWithInterval(),
        cv=["plain", "element"],
        n_folds=3,
        max_folds=2,
        learning_curve=True,
        name="gap <b>&",
        unit="eV",
        ids=[f"<i>{row}</i>" for row in ROWS],
    )


def test_every_row_is_predicted_out_of_fold(report):
    found = report.of("plain").set_index("row").sort_index()
    assert found.index.tolist() == list(range(len(GAPS)))
    for train, test in KFold(3, shuffle=True, random_state=0).split(GAPS):
        assert found["predicted:MeanWithInterval"][test].tolist() == pytest.approx(
            [GAPS[train].mean()] * len(test)
        )
        assert found["predicted:median"][test].iloc[0] == np.median(GAPS[train])
        assert found["upper"][test].iloc[0] == GAPS[train].max()
    assert found["true"].tolist() == GAPS.tolist()


def test_scores(report):
    scores, found = report.scores(), report.of("plain")
    errors = np.abs(found["true"] - found["predicted:MeanWithInterval"])
    row = scores.loc[("plain", "MeanWithInterval")]
    assert row["mae"] == pytest.approx(errors.mean())
    half = 1.96 * errors.std(ddof=1) / np.sqrt(len(GAPS))
    assert row["mae_high"] - row["mae"] == pytest.approx(half)
    assert row["rmse"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert np.isnan(row["better_by"])
    gain = np.abs(found["true"] - found["predicted:median"]).mean() - errors.mean()
    assert scores.loc[("plain", "median"), "better_by"] == pytest.approx(gain)
    assert set(scores.index.get_level_values("model")) == {
        "MeanWithInterval",
        "median",
        "magpie-forest",
    }


def test_elements_that_were_left_out_are_named(report):
    folds = report.fold_scores("element")
    assert len(folds) == 2  # max_folds
    for element, row in folds.iterrows():
        has = [element in {e.symbol for e in crystal.composition} for crystal in CRYSTALS]
        assert row["n_test"] == sum(has)
        error = np.abs(GAPS[has] - GAPS[~np.array(has)].mean()).mean()
        assert row["MeanWithInterval"] == pytest.approx(error)


def test_intervals_and_worst(report):
    found = report.intervals()
    table = report.of("plain")
    inside = (table["lower"] <= table["true"]) & (table["true"] <= table["upper"])
    assert found["nominal"] == 0.9
    assert found["observed"] == pytest.approx(inside.mean())
    worst = report.worst(n=3)
    assert worst["error:MeanWithInterval"].is_monotonic_decreasing
    assert worst["error:MeanWithInterval"].iloc[0] == table["error:MeanWithInterval"].max()
    assert worst["id"].iloc[0] == f"<i>{ROWS[worst['row'].iloc[0]]}</i>"
    assert not report.worst("element", n=50)["row"].duplicated().any()


def test_learning_curve(report):
    curve = report.learning_curve
    assert curve["n_train"].tolist() == [40]  # a half would be fewer than 30 rows
    plain = report.scores().loc[("plain", "median"), "mae"]
    assert curve["error:median"].iloc[-1] == pytest.approx(plain)
    assert describe_curve(report) == "There are too few crystals for smaller training sets."


def test_learning_curve_uses_parts_of_the_training_rows():
    crystals, gaps = TABLE.structures[:160], TABLE.target[:160]
    report = evaluate_model(crystals, gaps, model="dummy", n_folds=4, learning_curve=True)
    assert report.learning_curve["n_train"].tolist() == [30, 60, 120]
    assert "From 60 to 120 training crystals" in describe_curve(report)
    alone = evaluate_model(
        crystals, gaps, model="dummy", n_folds=4, cv="composition", learning_curve=True
    )
    assert alone.learning_curve.equals(report.learning_curve)


def test_json_is_complete_and_valid(report, tmp_path):
    report.write(tmp_path / "report")
    content = json.loads((tmp_path / "report/report.json").read_text())
    plain = content["validations"]["plain"]
    assert content["task"] == "regression"
    assert content["unit"] == "eV"
    assert content["n_rows"] == len(GAPS)
    assert len(plain["predictions"]) == len(GAPS)
    assert plain["scores"][0]["better_by"] is None  # not NaN
    assert plain["scores"][0]["mae"] == pytest.approx(report.scores()["mae"].iloc[0])
    assert {fold["fold"] for fold in content["validations"]["element"]["folds"]} <= set(
        report.of("element")["fold"]
    )


class Tags(HTMLParser):
    """The names of the tags of a page."""

    def __init__(self, text):
        super().__init__()
        self.names = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.names.add(tag)


def test_page_is_self_contained_and_escaped(report):
    text = report.to_html()
    names = Tags(text).names
    assert {"svg", "table", "h1"} <= names
    assert not names & {"script", "link", "img", "iframe", "b", "object"}
    assert not re.search(r"https?://|url\(|@import|src=|href=", text)
    assert "default-src 'none'" in text
    assert "gap &lt;b&gt;&amp;" in text and "<b>" not in text
    assert "&lt;i&gt;0&lt;/i&gt;" in text and "<i>0" not in text
    assert "prefers-color-scheme: dark" in text
    assert text.count('class="point"') == len(report.predictions)


def test_summary_says_what_the_scores_say(report):
    first, *rest = summary_lines(report)
    mae = report.scores()["mae"].iloc[0]
    assert f"mean absolute error of {quantity(mae, 'eV')} for gap <b>&" in first
    assert "crystals like those of the table" in first
    assert any("median" in line for line in rest)
    assert "of the 90 % intervals contain the true value" in rest[-1]


def test_the_better_model_is_named():
    y = np.array(["O" in {e.symbol for e in c.composition} for c in CRYSTALS]) * 5.0
    report = evaluate_model(CRYSTALS, y, model=MeanWithInterval(), n_folds=3)
    lines = " ".join(summary_lines(report))
    assert "MeanWithInterval is less accurate than magpie-forest" in lines
    assert "take magpie-forest" in lines


def test_classes():
    labels = np.where(GAPS > 2, "wide", "narrow")
    report = evaluate_model(
        CRYSTALS, labels, model=Guess(), n_folds=3, classification=True, learning_curve=True
    )
    row = report.scores().loc[("plain", "Guess")]
    found = report.of("plain")
    right = found["predicted:Guess"] == found["true"]
    assert row["accuracy"] == pytest.approx(right.mean())
    assert row["balanced_accuracy"] == pytest.approx(0.5)
    assert row["log_loss"] == pytest.approx(-np.log(1 - found["error:Guess"]).mean())
    assert "of the predictions of target to be right" in summary_lines(report)[0]
    text = report.to_html()
    assert "predicted narrow" in text and "true class" in text
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_rare_class_has_rows_enough_on_the_learning_curve():
    y = np.r_[np.zeros(270), np.ones(30)].astype(int)
    plan = make_folds("plain", np.zeros(300), y, n_folds=5, classification=True)
    options = {"classification": True, "random_state": 0}
    parts = evaluator._smaller_parts(plan, y, options, whole=False)
    sizes = [len(part.folds[0][0]) for part in parts]
    assert sizes == [60, 120]  # 30 rows would have three of the rare class
    assert min(y[train].sum() for part in parts for train, _ in part.folds) >= 5


def test_a_classifier_without_probabilities():
    labels = np.where(GAPS > 2, "wide", "narrow")
    model = make_pipeline(MagpieFeatures(), StandardScaler(), RidgeClassifier())
    report = evaluate_model(CRYSTALS, labels, model=model, n_folds=3, classification=True)
    row = report.scores().loc[("plain", "Pipeline")]
    assert row["accuracy"] > 0.6
    assert np.isnan(row["log_loss"])
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))


def test_any_settings_and_tiny_numbers_are_written(tmp_path):
    model = DummyRegressor(strategy="constant", constant=3e-12)
    report = evaluate_model(CRYSTALS, GAPS * 1e-12, model=model, n_folds=np.int64(3))
    report.write(tmp_path / "report")
    content = json.loads((tmp_path / "report/report.json").read_text())
    assert content["settings"]["n_folds"] == 3
    assert content["validations"]["plain"]["predictions"][0]["predicted:DummyRegressor"] == 3e-12
    assert plain({"physics": Ridge(), "x": [np.nan, np.bool_(True)]}) == {
        "physics": "Ridge()",
        "x": [None, True],
    }


def test_rows_of_one_crystal_count_as_one():
    found = pd.DataFrame({"row": [0, 0, 0, 1]})
    mean, half = _mean_of_crystals(found, pd.Series([3.0, 3.0, 3.0, 1.0]))
    assert mean == 2
    assert half == pytest.approx(1.96)


def test_a_class_missing_from_the_training_rows_has_no_probability():
    labels = np.array(["with O" if "O" in c.composition else "without" for c in CRYSTALS])
    report = evaluate_model(
        CRYSTALS, labels, model=Guess(), cv="element", max_folds=99, classification=True
    )
    oxygen = report.of("element")
    oxygen = oxygen[oxygen["fold"] == "O"]
    assert (oxygen["true"] == "with O").all()
    assert (oxygen["error:Guess"] == 1).all()


def test_groups_and_chemical_systems_stay_together():
    table = [read_crystal(f) for f in ["Fe2O3", "FeO", "NaCl", "NaCl3", "MgO", "Mg2O", "LiF"]]
    plan = make_folds("composition", table, np.zeros(7), n_folds=3)
    for train, test in plan.folds:
        systems = [tuple(sorted(table[i].composition)) for i in range(7)]
        assert not {systems[i] for i in train} & {systems[i] for i in test}
    groups = [1, 1, 2, 2, 3, 3, 3]
    plan = make_folds("group", table, np.zeros(7), n_folds=3, groups=groups)
    assert sorted(sorted(test.tolist()) for _, test in plan.folds) == [[0, 1], [2, 3], [4, 5, 6]]


def evaluate(**options):
    return evaluate_model(CRYSTALS, GAPS, **{"model": "dummy", **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": "random"}, "cv must be one of 'plain', 'group'"),
        ({"cv": "group"}, "needs groups: pass the group of each row"),
        ({"cv": "group", "groups": ["a"] * 61}, "All 61 rows are in one of the groups, 'a'"),
        ({"cv": "group", "groups": ["a", "b", "c"] * 20 + ["a"]}, "There are 3 groups, fewer than"),
        ({"cv": "group", "groups": [None] + ["a"] * 60}, "The group of row 0 is missing"),
        ({"cv": "group", "groups": ["a"]}, "groups has 1"),
        ({"ids": ["a"]}, "ids has 1"),
        ({"model": "nothing"}, "unknown model 'nothing'"),
        ({"parameters": {"no": 1}}, "dummy has no parameter 'no'"),
    ],
)
def test_clear_errors(options, message):
    with pytest.raises(ValueError, match=message):
        evaluate(**options)


@pytest.mark.parametrize(
    ("rows", "y", "message"),
    [
        (20, GAPS[:20], "20 crystals are too few to estimate an error: pass at least 30"),
        (61, np.full(61, 3.5), "All 61 rows have the same value, 3.5: there is nothing"),
        (61, np.array(["text"] * 61), "could not convert string to float"),
        (61, GAPS[:60], "y has 60"),
        (61, np.where(np.arange(61) == 7, np.nan, GAPS), "NaN in row 7"),
        (61, np.column_stack([GAPS, GAPS]), "takes a single target"),
    ],
)
def test_targets_that_cannot_be_evaluated(rows, y, message):
    with pytest.raises(ValueError, match=message):
        evaluate_model(CRYSTALS[:rows], y, model="dummy")


def test_one_class():
    with pytest.raises(ValueError, match="All 61 rows have one class, metal"):
        evaluate_model(CRYSTALS, ["metal"] * 61, model="dummy", classification=True)


def test_a_model_that_fails_on_a_fold_is_named():
    class Fails(MeanWithInterval):
        def fit(self, X, y):
            raise ValueError("no luck")

    with pytest.raises(ValueError, match=r"Fails failed on fold 1 of cv='plain' \(48 .*no luck"):
        evaluate(model=Fails())
