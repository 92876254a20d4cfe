"""Studies of hyperparameters that can be resumed and shared by processes."""

import os
import warnings
from contextlib import contextmanager

import joblib
import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState
from optuna_integration import SkorchPruningCallback
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv, cross_val_score

from .spaces import suggest_parameters

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


def open_storage(storage, heartbeat=60):
    """Open the storage of a study, so that it can be resumed and shared by processes.

    Parameters
    ----------
    storage : str, path-like, optuna.storages.BaseStorage or None
        A path is a journal file, which several processes on one machine (or on machines with a
        shared file system) can write to without a server. A URL with "://" is a database, such as
        "postgresql+psycopg://user@host/name". None keeps the study in memory.
    heartbeat : int, default=60
        Seconds between the heartbeats of a running trial in a database; if two of them are
        missing, the other workers mark the trial as failed. A journal has no heartbeat: the trial
        of a killed worker stays "running", which is harmless.

    Returns
    -------
    optuna.storages.BaseStorage

    Examples
    --------
    >>> from sklearn_cloud.tuning import open_storage
    >>> type(open_storage(None)).__name__
    'InMemoryStorage'
    """
    if storage is None:
        return optuna.storages.InMemoryStorage()
    if isinstance(storage, optuna.storages.BaseStorage):
        return storage
    location = os.fspath(storage)
    if "://" in location:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.storages.RDBStorage(location, heartbeat_interval=heartbeat)
    backend = optuna.storages.journal.JournalFileBackend(location)
    return optuna.storages.JournalStorage(backend)


def tune_pipeline(
    estimator,
    X,
    y,
    *,
    space,
    n_trials=20,
    cv=3,
    scoring=None,
    storage=None,
    study_name="cloud",
    pruner=None,
    random_state=0,
    verbose=0,
):
    """Search hyperparameters by cross-validation, in a study that can be resumed and shared.

    Processes that run the same script with the same `storage` and `study_name` work on one study.
    After a crash, run the script again to resume: a killed worker only loses its current trial.

    Parameters
    ----------
    estimator : estimator
        A pipeline with a `CloudRegressor` or `CloudClassifier`, or any other estimator. Set its
        `random_state`, so that trials differ only in their parameters. It is not changed.
    X : array-like of shape (n_samples,)
        Training rows: crystals, or other input of the estimator. Do not include test rows.
    y : array-like of shape (n_samples,)
        Targets.
    space : dict of str to optuna.distributions.BaseDistribution
        Search space of each parameter; see `default_space` and `paper_space`.
    n_trials : int, default=20
        Total number of finished trials (including pruned ones) of the study, including those of
        earlier runs and other processes.
    cv : int, splitter or iterable of (train, test), default=3
        Splits of `X` to score a trial. They must be the same in every process.
    scoring : str or callable, default=None
        Score to maximise; None uses the `score` method of the estimator.
    storage : str, path-like, optuna.storages.BaseStorage or None, default=None
        Storage of the study; see `open_storage`.
    study_name : str, default="cloud"
        Name of the study in the storage.
    pruner : optuna.pruners.BasePruner, default=None
        Prunes a trial by its validation loss during the first fold. None uses the median rule from
        the sixth trial and the eleventh epoch on; `optuna.pruners.NopPruner()` never prunes.
    random_state : int, default=0
        Seed. The parameters of a trial depend on it, the trial's number and the finished trials, so
        that a single process always gives the same study, interrupted or not.
    verbose : int, default=0
        If not 0, show a progress bar and Optuna's messages.

    Returns
    -------
    optuna.Study
        It minimises the negative score, so `best_value` is the mean absolute error with
        `scoring="neg_mean_absolute_error"`. Pass `best_params` to `set_params`; the attribute
        "scores" of a trial has the score of each fold, "worker" the process that ran it.

    Raises
    ------
    ValueError
        If the stored study was made with other rows, folds or scoring.

    Notes
    -----
    The first trial has the current parameters of `estimator`, if the space contains them.
    The best score of a study is an optimistic estimate of the score on new crystals, because the
    parameters were chosen for it: score the refitted model on rows that are not in the study.

    Trials are pruned if the estimator has `callbacks` and `validation_fraction`.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud import CloudRegressor, SymmetryStringTransformer
    >>> from sklearn_cloud.encoder import EncoderConfig
    >>> from sklearn_cloud.tuning import tune_pipeline
    >>> model = make_pipeline(
    ...     SymmetryStringTransformer(),
    ...     CloudRegressor(EncoderConfig(n_layers=1, width=32), max_epochs=2, random_state=0),
    ... )
    >>> crystals, energies = ["NaCl", "KCl", "MgO", "CaO"] * 4, [3.4, 3.1, 5.0, 4.6] * 4
    >>> space = {"cloudregressor__learning_rate": FloatDistribution(1e-4, 1e-2, log=True)}
    >>> study = tune_pipeline(model, crystals, energies, space=space, n_trials=2, cv=2)
    >>> model = model.set_params(**study.best_params).fit(crystals, energies)
    """
    folds = list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y))
    scorer = check_scoring(estimator, scoring=scoring)
    with _messages(verbose):
        study = optuna.create_study(
            storage=open_storage(storage),
            study_name=study_name,
            load_if_exists=True,
            direction="minimize",
            pruner=pruner or optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=10),
        )
    _check_task(study, joblib.hash((np.asarray(y), folds, str(scoring))))
    if not study.trials:
        _enqueue_as_is(study, estimator, space)

    def objective(trial):
        # Workers must not draw the same numbers, nor a resumed study the earlier ones.
        seed = np.random.SeedSequence([random_state, trial.number]).generate_state(1)
        trial.study.sampler = optuna.samplers.TPESampler(seed=int(seed[0]))
        trial.set_user_attr("worker", os.getpid())
        model = clone(estimator).set_params(**suggest_parameters(trial, space))
        scores = _score_folds(trial, model, X, y, folds, scorer)
        trial.set_user_attr("scores", scores)
        return -float(np.mean(scores))

    missing = n_trials - len(study.get_trials(deepcopy=False, states=FINISHED))
    if missing > 0:
        with _messages(verbose):
            study.optimize(
                objective,
                n_trials=missing,
                callbacks=[MaxTrialsCallback(n_trials, states=FINISHED)],
                show_progress_bar=bool(verbose),
            )
    return study


class _Pruning(SkorchPruningCallback):
    """Callback of the trial that stays the same object if the estimator is cloned."""

    def __sklearn_clone__(self):
        return self


def _score_folds(trial, model, X, y, folds, scorer):
    """Return the score of each fold; the loss curve of the first may prune the trial."""
    watched = _with_pruning(trial, model)
    scores = []
    for number, fold in enumerate(folds):
        one = model if number else watched
        score = cross_val_score(one, X, y, cv=[fold], scoring=scorer, error_score="raise")
        scores.append(float(score[0]))
    return scores


def _with_pruning(trial, model):
    """Return a copy of the model that reports the validation loss of each epoch to the trial."""
    params = model.get_params(deep=True)
    watched = clone(model)
    for name, callbacks in params.items():
        *_, last = name.split("__")
        if last == "callbacks" and params.get(name[: -len(last)] + "validation_fraction", 0) > 0:
            watched.set_params(**{name: [*(callbacks or []), _Pruning(trial, "valid_loss")]})
    return watched


def _check_task(study, task):
    """Raise ValueError if the study has trials of other data."""
    known = study.user_attrs.get("task")
    if known is None:
        study.set_user_attr("task", task)
    elif known != task:
        raise ValueError(
            f"The study {study.study_name!r} was made with other targets, folds or scoring, so its "
            "trials are not comparable with new ones. Choose another study_name and, if cv "
            "shuffles, set its random_state."
        )


def _enqueue_as_is(study, estimator, space):
    """Enqueue the current parameters of the estimator as the first trial, if in the space."""
    params = estimator.get_params(deep=True)
    if all(_contains(values, params[name]) for name, values in space.items()):
        study.enqueue_trial({name: params[name] for name in space}, skip_if_exists=True)


def _contains(values, value):
    if isinstance(values, CategoricalDistribution):
        return value in values.choices
    return isinstance(value, int | float) and values.low <= value <= values.high


@contextmanager
def _messages(verbose):
    """Show Optuna's messages about each trial only if `verbose`."""
    level = optuna.logging.get_verbosity()
    if not verbose:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
