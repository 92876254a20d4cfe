"""The loop over folds: it resumes, keeps predictions, and measures."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from sklearn_cloud.evaluation.folds import fit_and_score, measure_size, run_model
from sklearn_cloud.evaluation.predictions import predictions_path, read_predictions
from sklearn_cloud.evaluation.results import open_result, read_result

FORMULAS = ["NaCl", "KCl", "MgO", "CaO", "ZnS", "GaAs", "Si", "Ge", "TiO2", "Fe2O3"]


def table(task_type="regression"):
    fold = np.arange(10) % 5
    return Bunch(
        structures=np.array(FORMULAS, dtype=object),
        target=np.arange(10.0) if task_type == "regression" else np.arange(10) % 3 == 0,
        ids=np.array([f"row-{row}" for row in range(10)]),
        coverage=1.0,
        task_type=task_type,
        folds=[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)],
    )


def run(folder, data=None, **options):
    options = {"model": "forest", "parameters": {"n_estimators": 5}} | options
    model = options.pop("model")
    places = {"results": folder / "results", "predictions": folder / "predictions"}
    return run_model(
        model, data or table(), benchmark="matbench", task="jdft2d", **places | options
    )


def test_scores_and_predictions_of_every_fold(tmp_path):
    data = table()
    result, path = run(tmp_path, data, name="mine", random_state=3)
    assert read_result(path) == result and path.name == "matbench_jdft2d_mine.json"
    assert result.kind == "Feature-based" and result.configuration["random_state"] == 3
    for fold, (train, test) in enumerate(data.folds):
        entry = result.folds[str(fold)]
        file = predictions_path(tmp_path / "predictions", result, fold)
        ids, predictions = read_predictions(file)
        assert ids == data.ids[test].tolist()
        mae = np.abs(predictions - data.target[test]).mean()
        assert entry["scores"]["mae"] == pytest.approx(mae)
        assert (entry["n_train"], entry["n_test"]) == (len(train), len(test))
        assert entry["cpu_seconds_fit"] > 0 and entry["peak_memory_mib"] > 10


def test_classes_are_scored_by_their_probabilities(tmp_path):
    result, _ = run(tmp_path, table("classification"), folds=[0])
    _, chances = read_predictions(predictions_path(tmp_path / "predictions", result, 0))
    assert set(result.folds["0"]["scores"]) >= {"accuracy", "rocauc"}
    assert all(0 <= chance <= 1 for chance in chances)


def test_intervals_are_measured(tmp_path):
    data = table()
    data.folds[0] = (np.arange(20) % 8, np.array([8, 9]))
    parameters = {"effort": "fast", "members": ["support vectors"], "cv": 2}
    result, _ = run(tmp_path, data, model="crystal", parameters=parameters, folds=[0])
    intervals = result.folds["0"]["intervals"]
    assert intervals["nominal_coverage"] == 0.9
    assert intervals["coverage"] in (0, 0.5, 1) and intervals["mean_width"] > 0


@pytest.mark.parametrize(
    "task_type, score", [("regression", "mae"), ("classification", "accuracy")]
)
def test_members_are_scored(task_type, score, tmp_path):
    data = table(task_type)
    data.folds[0] = (np.arange(20) % 8, np.array([8, 9]))
    parameters = {"effort": "fast", "members": ["extra-trees"], "cv": 2}
    result, _ = run(tmp_path, data, model="crystal", parameters=parameters, folds=[0])
    entry = result.folds["0"]
    (member,) = entry["members"].values()
    assert member == {"weight": 1.0, "scores": entry["scores"]}
    assert score in member["scores"]


class Killed(BaseException):
    pass


def test_killed_run_loses_the_fold_in_progress(tmp_path, monkeypatch):
    fitted = []

    def watched(model, data, result, fold, predictions):
        fitted.append(fold)
        if len(fitted) == 3:
            raise Killed
        return fit_and_score(model, data, result, fold, predictions)

    monkeypatch.setattr("sklearn_cloud.evaluation.folds.fit_and_score", watched)
    with pytest.raises(Killed):
        run(tmp_path, name="mine")
    half = read_result(tmp_path / "results/matbench_jdft2d_mine.json")
    assert set(half.folds) == {"0", "1"}
    shown = []
    result, _ = run(tmp_path, name="mine", report=lambda *one: shown.append(one))
    assert fitted == [0, 1, 2, 2, 3, 4]
    assert {fold: kept for fold, _, kept in shown} == {0: 1, 1: 1, 2: 0, 3: 0, 4: 0}
    assert result.folds["0"] == half.folds["0"]


def test_other_settings_are_refused_or_another_file(tmp_path):
    run(tmp_path, name="mine", folds=[0])
    with pytest.raises(ValueError, match="n_estimators=5, now 6"):
        run(tmp_path, name="mine", folds=[0], parameters={"n_estimators": 6})
    _, first = run(tmp_path, folds=[0])
    _, again = run(tmp_path, folds=[0], verbose=1, n_jobs=2)
    _, other = run(tmp_path, folds=[0], parameters={"n_estimators": 6})
    assert first == again != other


def test_predictions_of_two_settings_do_not_mix(tmp_path):
    paths = set()
    for trees in (5, 6):
        options = {"name": "mine", "folds": [0], "parameters": {"n_estimators": trees}}
        result, _ = run(tmp_path, results=tmp_path / str(trees), **options)
        paths.add(predictions_path(tmp_path / "predictions", result, 0))
    assert len(paths) == 2 and all(path.is_file() for path in paths)


def test_folder_that_cannot_be_written_is_found_before_the_fit(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_cloud.evaluation.folds.fit_and_score", None)
    (tmp_path / "predictions").touch()
    with pytest.raises(OSError, match="predictions.* cannot be written"):
        run(tmp_path)


def test_regressor_and_classes(tmp_path):
    with pytest.raises(ValueError, match="space-group-forest predicts numbers"):
        run(tmp_path, table("classification"), model="space-group-forest", parameters={})


class Constant(BaseEstimator):
    n_parameters_ = 7

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.ones(len(X))


def test_trained_weights_are_counted(tmp_path):
    assert measure_size(Constant())["n_parameters"] == 7
    assert "n_parameters" not in measure_size(object())


def test_any_estimator(tmp_path):
    header = {"benchmark": "own", "task": "ones", "model": "constant", "rows": 10}
    result = open_result(tmp_path / "result.json", configuration={}, **header)
    entry = fit_and_score(Constant(), table(), result, 1)
    assert entry["scores"]["mae"] == pytest.approx((0 + 5) / 2)
