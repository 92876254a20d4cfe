"""Several processes on one PostgreSQL, one of them killed."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks/maintenance"


@pytest.fixture
def script(monkeypatch):
    pytest.importorskip("optuna", reason="needs sklearn-cloud[tuning]")
    pytest.importorskip("psycopg", reason="needs psycopg")
    pytest.importorskip("pwd", reason="needs Unix")
    monkeypatch.syspath_prepend(SCRIPTS)
    script = importlib.import_module("tuning_postgres")
    if script.find_program("initdb") is None or script.find_program("pg_ctl") is None:
        pytest.skip("needs PostgreSQL's initdb and pg_ctl: apt-get install postgresql")
    return script


@pytest.mark.slow
def test_a_killed_worker_loses_one_trial_and_the_others_finish(script):
    with script.throwaway_server() as url:
        killed, study = script.run_study(url, n_workers=3, n_trials=8, heartbeat=1, kill=True)
        trials = study.trials
    states = Counter(trial.state.name for trial in trials)
    # the two that are left may finish a trial each at the same time
    assert states["COMPLETE"] in (8, 9) and states["FAIL"] == 1 and len(trials) <= 10
    assert trials[killed].state.name == "FAIL"
    assert len({trial.user_attrs["worker"] for trial in trials}) == 3
    drawn = [trial.params["cloudregressor__learning_rate"] for trial in trials]
    # the parameters of the estimator itself may be tried by each worker; no others twice
    assert len(set(drawn)) >= len(drawn) - 2


def test_the_server_is_gone_afterwards(script):
    with script.throwaway_server() as url:
        home = Path(url.partition("host=")[2])
        assert (home / "data/postmaster.pid").exists()
    assert not home.exists()
