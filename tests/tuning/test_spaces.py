"""Search spaces: the paper's table, the defaults, and their way into the estimators."""

import importlib
import math
import sys
import warnings

import pytest

optuna = pytest.importorskip("optuna", reason="needs sklearn-cloud[tuning]")

from sklearn_cloud.estimators import CloudClassifier, CloudRegressor  # noqa: E402
from sklearn_cloud.tuning import default_space, paper_space, suggest_parameters  # noqa: E402


def values(distribution):
    if isinstance(distribution, optuna.distributions.IntDistribution):
        return set(range(distribution.low, distribution.high + 1))
    return set(distribution.choices)


def test_the_papers_values():
    space = paper_space()
    assert {name: values(distribution) for name, distribution in space.items()} == {
        "max_epochs": {50, 100, 200},
        "learning_rate": {1e-4, 5e-5},
        "batch_size": {32, 64, 128, 512},
        "weight_decay": {0.0, 1e-4, 1e-2},
        "warmup_ratio": {0.05, 0.1},
        "freeze_epochs": {0, 5, 10},
        "head_layers": {1, 2, 3},
    }
    assert math.prod(len(values(distribution)) for distribution in space.values()) == 1296


@pytest.mark.parametrize("estimator", [CloudRegressor, CloudClassifier])
def test_default_space_contains_the_defaults(estimator):
    study = optuna.create_study()
    defaults = estimator().get_params()
    study.enqueue_trial({name: defaults[name] for name in default_space()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a value out of range
        assert suggest_parameters(study.ask(), default_space()).items() <= defaults.items()


@pytest.mark.parametrize("estimator", [CloudRegressor, CloudClassifier])
@pytest.mark.parametrize("space", [default_space, paper_space])
def test_every_point_is_valid(space, estimator):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(30):
        trial = study.ask()
        estimator(**suggest_parameters(trial, space()))._validate_params()
        assert trial.distributions == space()


@pytest.mark.parametrize("space", [default_space, paper_space])
def test_prefix(space):
    assert list(space("step__")) == [f"step__{name}" for name in space()]


def test_without_optuna(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("sklearn_cloud.tuning")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setitem(sys.modules, "optuna.distributions", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-cloud\[tuning\]'"):
        importlib.import_module("sklearn_cloud.tuning")
