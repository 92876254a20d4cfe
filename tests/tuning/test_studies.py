"""Studies: reproducible, resumable, and pruned between folds."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline

optuna = pytest.importorskip("optuna", reason="needs sklearn-cloud[tuning]")
OptunaSearchCV = pytest.importorskip(
    "optuna_integration", reason="needs sklearn-cloud[tuning]"
).OptunaSearchCV

from optuna.distributions import CategoricalDistribution, FloatDistribution  # noqa: E402
from optuna.trial import TrialState  # noqa: E402

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer  # noqa: E402
from sklearn_cloud.encoder import EncoderConfig  # noqa: E402
from sklearn_cloud.tuning import default_space, open_storage, tune_pipeline  # noqa: E402

ALPHA = {"alpha": FloatDistribution(1e-3, 1e3, log=True)}
FORMULAS = ["NaCl", "KCl", "MgO", "CaO", "ZnS", "Si", "GaAs", "LiF", "AgBr", "CdTe"] * 3
GAPS = np.array([8.5, 8.4, 7.8, 7.1, 3.6, 1.1, 1.4, 13.0, 2.7, 1.5] * 3)


@pytest.fixture
def numbers():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(40, 20))
    return X, X[:, 0] + rng.normal(size=40)


@pytest.fixture
def cloud():
    """A pipeline on formulas that trains in a moment."""
    config = EncoderConfig(n_layers=1, n_heads=2, width=16)
    regressor = CloudRegressor(config, max_epochs=3, batch_size=8, random_state=0)
    return make_pipeline(SymmetryStringTransformer(), regressor)


def params(study):
    return [trial.params for trial in study.trials]


def test_value_is_the_negative_cross_validation_score(numbers):
    model = Ridge(alpha=2.0)
    scoring = "neg_mean_absolute_error"
    study = tune_pipeline(model, *numbers, space=ALPHA, n_trials=5, scoring=scoring)
    assert model.alpha == 2.0 and len(study.trials) == 5
    assert study.trials[0].params == {"alpha": 2.0}
    scores = cross_val_score(Ridge(**study.best_params), *numbers, cv=3, scoring=scoring)
    assert study.best_value == pytest.approx(-scores.mean())
    assert study.best_trial.user_attrs["scores"] == pytest.approx(scores)
    assert study.best_value <= study.trials[0].value


def test_parameters_outside_the_space_are_not_tried(numbers):
    with pytest.warns(UserWarning, match=r"alpha=1000000.0 is not in the space"):
        study = tune_pipeline(Ridge(alpha=1e6), *numbers, space=ALPHA, n_trials=1)
    assert study.trials[0].params["alpha"] < 1e3


def test_parameters_between_the_steps_of_the_space_are_not_tried(numbers):
    space = {"alpha": FloatDistribution(0.5, 2.5, step=1.0)}
    with pytest.warns(UserWarning, match=r"alpha=1.0 is not in the space"):
        tune_pipeline(Ridge(), *numbers, space=space, n_trials=1)


@pytest.mark.filterwarnings("ignore:R.2 score is not well-defined")
def test_scores_that_are_nan_end_the_study(numbers):
    X, y = numbers
    with pytest.raises(ValueError, match="score of fold 1 is NaN with {'alpha': 1.0}"):
        tune_pipeline(Ridge(), X[:5], y[:5], space=ALPHA, n_trials=2, cv=LeaveOneOut())


@pytest.mark.parametrize("space", [["alpha"], {"alpha": [0.1, 1.0]}])
def test_a_space_without_distributions(space, numbers):
    with pytest.raises(TypeError, match="Optuna's distributions"):
        tune_pipeline(Ridge(), *numbers, space=space)


def test_a_seed_that_is_none(numbers):
    with pytest.raises(ValueError, match="random_state must be a non-negative integer, got None"):
        tune_pipeline(Ridge(), *numbers, space=ALPHA, random_state=None)


def test_a_resumed_study_is_the_uninterrupted_one(numbers, tmp_path):
    """Beyond the ten trials that are drawn at random, and without drawing any of them twice."""
    tune = {"space": ALPHA, "random_state": 3}
    whole = tune_pipeline(Ridge(), *numbers, n_trials=14, **tune)
    for n_trials in (4, 12, 14):
        parts = tune_pipeline(
            Ridge(), *numbers, n_trials=n_trials, storage=tmp_path / "study.log", **tune
        )
        assert len(parts.trials) == n_trials
    assert params(parts) == params(whole)
    assert len({trial["alpha"] for trial in params(whole)}) == 14
    other = tune_pipeline(Ridge(), *numbers, space=ALPHA, n_trials=3, random_state=4)
    assert params(other)[1:] != params(whole)[1:3]


def test_a_finished_study_is_not_prolonged(numbers, tmp_path):
    for _ in range(2):
        study = tune_pipeline(
            Ridge(), *numbers, space=ALPHA, n_trials=3, storage=str(tmp_path / "study.log")
        )
    assert len(study.trials) == 3


@pytest.mark.parametrize(
    "change", [{"cv": 4}, {"scoring": "neg_mean_absolute_error"}, {"y": np.zeros(40)}]
)
def test_other_tasks_are_not_mixed_in(numbers, tmp_path, change):
    X, y = numbers
    call = {"X": X, "y": y, "space": ALPHA, "n_trials": 1, "storage": tmp_path / "study.log"}
    tune_pipeline(Ridge(), **call)
    with pytest.raises(ValueError, match="made with other targets, folds or scoring"):
        tune_pipeline(Ridge(), **{**call, **change})
    assert len(tune_pipeline(Ridge(), **{**call, **change}, study_name="another").trials) == 1


def test_errors_of_a_trial_are_seen(numbers):
    space = {"alpha": FloatDistribution(-2.0, -1.0)}
    with pytest.raises(ValueError, match="alpha"):
        tune_pipeline(Ridge(alpha=-1.0), *numbers, space=space, n_trials=2)


def test_a_trial_that_failed_is_replaced(numbers, tmp_path):
    """Also the first: the parameters of the estimator are tried all the same."""

    class Failing(Ridge):
        n_left = 0

        def fit(self, X, y):
            Failing.n_left -= 1
            if Failing.n_left < 0:
                raise KeyboardInterrupt
            return super().fit(X, y)

    tune = {"space": ALPHA, "n_trials": 3, "cv": 2}
    whole = tune_pipeline(Ridge(), *numbers, **tune)
    for n_fits in (1, 3):
        Failing.n_left = n_fits
        journal = tmp_path / f"{n_fits}.log"
        with pytest.raises(KeyboardInterrupt):
            tune_pipeline(Failing(), *numbers, **tune, storage=journal)
        study = tune_pipeline(Ridge(), *numbers, **tune, storage=journal)
        finished = [t.params for t in study.trials if t.state == TrialState.COMPLETE]
        assert len(study.trials) == 4 and finished == params(whole)


def test_silent_unless_asked(numbers, capfd):
    level = optuna.logging.get_verbosity()
    tune_pipeline(Ridge(), *numbers, space=ALPHA, n_trials=2)
    assert capfd.readouterr() == ("", "") and optuna.logging.get_verbosity() == level


def test_storages(tmp_path):
    assert isinstance(open_storage(tmp_path / "a.log"), optuna.storages.JournalStorage)
    assert isinstance(open_storage(None), optuna.storages.InMemoryStorage)
    storage = open_storage(f"sqlite:///{tmp_path}/a.db", heartbeat=7)
    assert storage.get_heartbeat_interval() == 7
    assert open_storage(storage) is storage


def test_parameters_that_the_estimator_does_not_have(cloud):
    space = {"learning_rate": FloatDistribution(1e-4, 1e-2, log=True)}
    with pytest.raises(ValueError, match=r"'learning_rate', which is not a .* Pipeline.*prefix="):
        tune_pipeline(cloud, FORMULAS, GAPS, space=space, n_trials=1)


def test_values_are_in_the_unit_of_the_score(numbers):
    """Also those of pruned trials: the mean over the folds that they have finished."""
    scoring = "neg_mean_absolute_error"
    study = tune_pipeline(Ridge(), *numbers, space=ALPHA, n_trials=20, scoring=scoring)
    table = study.trials_dataframe()
    assert {"COMPLETE", "PRUNED"} == set(table["state"])
    for trial in study.trials:
        one = Ridge(**trial.params)
        scores = -cross_val_score(one, *numbers, cv=3, scoring=scoring)
        n_finished = trial.last_step
        assert (n_finished < 3) == (trial.state == TrialState.PRUNED)
        assert table["value"][trial.number] == pytest.approx(scores[:n_finished].mean())
        means = [scores[:k].mean() for k in range(1, n_finished + 1)]
        assert list(trial.intermediate_values.values()) == pytest.approx(means)
        assert trial.user_attrs["scores"] == pytest.approx(-scores[:n_finished])


def test_the_better_half_goes_on(numbers):
    study = tune_pipeline(Ridge(), *numbers, space=ALPHA, n_trials=20)
    trials = study.trials
    for trial in trials:
        for step in range(1, 3):
            if step not in trial.intermediate_values:
                continue
            before = [
                other.intermediate_values[step]
                for other in trials[: trial.number]
                if step in other.intermediate_values
            ]
            everything = sorted([*before, trial.intermediate_values[step]])
            better_half = everything[: (len(everything) + 1) // 2]
            poor = len(before) >= 4 and trial.intermediate_values[step] not in better_half
            assert (trial.last_step == step) == poor


def test_a_pruner_of_ones_own(cloud):
    study = tune_pipeline(
        cloud,
        FORMULAS,
        GAPS,
        space={"cloudregressor__batch_size": CategoricalDistribution([4, 8])},
        n_trials=2,
        pruner=optuna.pruners.ThresholdPruner(upper=0.0, n_warmup_steps=2),
        scoring="neg_mean_absolute_error",
    )
    assert [trial.state for trial in study.trials] == [TrialState.PRUNED] * 2
    assert [len(trial.intermediate_values) for trial in study.trials] == [2, 2]


def test_one_fold_is_never_pruned(numbers):
    study = tune_pipeline(
        Ridge(), *numbers, space=ALPHA, n_trials=8, cv=ShuffleSplit(1, random_state=0)
    )
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 8


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_optuna_search_cv(cloud):
    space = {
        **default_space(prefix="cloudregressor__"),
        "cloudregressor__max_epochs": CategoricalDistribution([2, 3]),
    }
    search = OptunaSearchCV(cloud, space, cv=2, n_trials=2, random_state=0, error_score="raise")
    search.fit(FORMULAS, GAPS)
    assert set(search.best_params_) == set(space)
    assert search.predict(FORMULAS[:3]).shape == (3,)
