"""Processes that are killed, journals that are cut, workers that share a study."""

import multiprocessing
import os
import signal
import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

optuna = pytest.importorskip("optuna", reason="needs sklearn-cloud[tuning]")

from optuna.distributions import FloatDistribution  # noqa: E402
from optuna.trial import TrialState  # noqa: E402

from sklearn_cloud import CloudRegressor, SymmetryStringTransformer  # noqa: E402
from sklearn_cloud.encoder import EncoderConfig  # noqa: E402
from sklearn_cloud.tuning import studies, tune_pipeline  # noqa: E402

ROWS = np.random.RandomState(0).normal(size=(40, 20))
TARGET = ROWS[:, 0] + np.random.RandomState(1).normal(size=40)
TUNE = {
    "X": ROWS,
    "y": TARGET,
    "space": {"alpha": FloatDistribution(1e-3, 1e3, log=True)},
    "n_trials": 4,
    "cv": 2,
}


class KilledRidge(Ridge):
    """Kills its process in one of its fits."""

    n_left = None

    def fit(self, X, y):
        KilledRidge.n_left -= 1
        if KilledRidge.n_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


def start(estimator, **options):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs a system that can fork")
    process = multiprocessing.get_context("fork").Process(
        target=tune_pipeline, args=(estimator,), kwargs={**TUNE, **options}
    )
    process.start()
    return process


def summary(study):
    return [
        (t.number, t.state, t.params, t.values, t.intermediate_values, t.user_attrs["scores"])
        for t in study.trials
    ]


def leftovers(journal):
    return sorted(path.name for path in journal.with_name(f"{journal.name}.locks").iterdir())


@pytest.fixture(scope="module")
def whole():
    return summary(tune_pipeline(Ridge(), **TUNE))


@pytest.mark.parametrize("n_fits", [0, 1, 2, 5, 7])
def test_a_killed_trial_is_run_again(n_fits, whole, tmp_path, monkeypatch):
    """Under the same number and with the same parameters, those of the estimator included."""
    journal = tmp_path / "study.log"
    monkeypatch.setattr(KilledRidge, "n_left", n_fits)
    worker = start(KilledRidge(), storage=journal)
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    study = tune_pipeline(Ridge(), **TUNE, storage=journal)
    assert summary(study) == whole
    assert study.trials[0].params == {"alpha": 1.0}
    if n_fits > 1:
        assert study.trials[0].user_attrs["worker"] == worker.pid
    assert set(leftovers(journal)) <= {"turn", "write"}


def test_a_worker_killed_before_it_claims_its_trial(whole, tmp_path):
    journal = tmp_path / "study.log"
    tune_pipeline(Ridge(), **{**TUNE, "n_trials": 1}, storage=journal)
    lines = journal.read_text().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if '"claim"' in line)
    journal.write_text("".join(lines[:place]))
    assert summary(tune_pipeline(Ridge(), **TUNE, storage=journal)) == whole


def test_a_journal_cut_anywhere(whole, tmp_path):
    """It loses the trial that it was cut in and those after it, which are run again."""
    journal = tmp_path / "study.log"
    tune_pipeline(Ridge(), **TUNE, storage=journal)
    content = journal.read_bytes()
    ends = [place for place, byte in enumerate(content) if byte == ord("\n")]
    for end in ends[2::3]:
        for cut in (end - 7, end):
            journal.write_bytes(content[:cut])
            assert summary(tune_pipeline(Ridge(), **TUNE, storage=journal)) == whole
            kept = journal.read_bytes()
            start = content.rfind(b"\n", 0, cut) + 1
            assert kept[:start] == content[:start] and kept.endswith(b"\n")


def test_a_trial_that_was_cut_between_folds_is_run_again(tmp_path):
    config = EncoderConfig(n_layers=1, n_heads=2, width=16)
    regressor = CloudRegressor(config, max_epochs=3, batch_size=8, random_state=0)
    tune = {
        "X": ["NaCl", "KCl", "MgO", "CaO", "ZnS", "Si", "GaAs", "LiF", "AgBr", "CdTe"] * 2,
        "y": np.array([8.5, 8.4, 7.8, 7.1, 3.6, 1.1, 1.4, 13.0, 2.7, 1.5] * 2),
        "space": {"cloudregressor__learning_rate": FloatDistribution(1e-4, 1e-2, log=True)},
        "n_trials": 1,
        "cv": 2,
        "storage": tmp_path / "study.log",
    }
    model = make_pipeline(SymmetryStringTransformer(), regressor)
    whole = summary(tune_pipeline(model, **tune))
    lines = tune["storage"].read_text().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if "intermediate" in line)
    tune["storage"].write_text("".join(lines[: place + 1]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        assert summary(tune_pipeline(model, **tune)) == whole


def test_a_pruned_trial_that_was_cut_is_pruned_again(tmp_path):
    """Its value of the first fold is in the journal, but not that it was pruned."""
    journal = tmp_path / "study.log"
    whole = summary(tune_pipeline(Ridge(), **{**TUNE, "n_trials": 8}))
    pruned = next(number for number, state, *_ in whole if state == TrialState.PRUNED)
    assert pruned >= 4
    tune_pipeline(Ridge(), **{**TUNE, "n_trials": pruned + 1}, storage=journal)
    lines = journal.read_text().splitlines(keepends=True)
    assert "intermediate" in lines[-2]
    journal.write_text("".join(lines[:-1]))
    assert summary(tune_pipeline(Ridge(), **{**TUNE, "n_trials": 8}, storage=journal)) == whole


def test_two_workers_end_with_the_trials_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "_POLL", 0.01)
    journal = tmp_path / "study.log"
    never = {"pruner": optuna.pruners.NopPruner()}
    workers = [start(Ridge(), n_trials=8, storage=journal, **never) for _ in range(2)]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    study = tune_pipeline(Ridge(), **{**TUNE, "n_trials": 8}, storage=journal, **never)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 8
    assert len({trial.params["alpha"] for trial in study.trials}) == 8
    assert set(leftovers(journal)) <= {"turn", "write"}


class WaitingRidge(Ridge):
    """Waits in its first fit until it is told to go, or killed."""

    gate = None

    def fit(self, X, y):
        gate, WaitingRidge.gate = WaitingRidge.gate, None
        if gate is not None:
            gate.send("in a trial")
            gate.recv()
        return super().fit(X, y)


@pytest.mark.parametrize("killed", [False, True])
def test_a_worker_waits_for_the_trial_of_another(killed, tmp_path, monkeypatch):
    journal = tmp_path / "study.log"
    here, there = multiprocessing.Pipe()
    monkeypatch.setattr(WaitingRidge, "gate", there)
    worker = start(WaitingRidge(), n_trials=2, storage=journal)
    assert here.recv() == "in a trial"

    def let_it_end(_):
        if killed:
            worker.kill()
        else:
            here.send("go")
        worker.join()

    monkeypatch.setattr(studies.time, "sleep", let_it_end)
    study = tune_pipeline(Ridge(), **{**TUNE, "n_trials": 2}, storage=journal)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 2
    other = study.trials[0].user_attrs["worker"]
    assert (other == worker.pid) != killed
