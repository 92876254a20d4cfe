"""The journal of a study in Optuna's dashboard."""

import json
from wsgiref.util import setup_testing_defaults

import numpy as np
import pytest
from sklearn.linear_model import Ridge

optuna_dashboard = pytest.importorskip("optuna_dashboard", reason="needs optuna-dashboard")

from optuna.distributions import FloatDistribution  # noqa: E402
from optuna.storages import JournalStorage  # noqa: E402
from optuna.storages.journal import JournalFileBackend  # noqa: E402

from sklearn_cloud.tuning import tune_pipeline  # noqa: E402


def ask(app, path):
    """What the dashboard's server answers."""
    told, environment = {}, {"PATH_INFO": path, "QUERY_STRING": ""}
    setup_testing_defaults(environment)
    parts = app(environment, lambda status, headers, *_: told.update(status=status))
    assert told["status"].startswith("200")
    return json.loads(b"".join(parts))


def test_the_dashboard_lists_the_trials(tmp_path):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    space = {"alpha": FloatDistribution(1e-3, 1e3, log=True)}
    journal = tmp_path / "study.log"
    tune_pipeline(Ridge(), X, y, space=space, n_trials=3, storage=journal, study_name="gaps")
    # as `optuna-dashboard study.log` opens it
    app = optuna_dashboard.wsgi(JournalStorage(JournalFileBackend(str(journal))))
    (study,) = ask(app, "/api/studies")["study_summaries"]
    assert study["study_name"] == "gaps"
    trials = ask(app, f"/api/studies/{study['study_id']}")["trials"]
    assert [trial["state"] for trial in trials] == ["Complete"] * 3
