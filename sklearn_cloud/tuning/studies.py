"""Studies of hyperparameters that can be resumed and shared by processes."""

import math
import os
import time
import warnings
from contextlib import contextmanager
from numbers import Integral

import joblib
import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import TrialState
from sklearn.base import clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv, cross_val_score
from tqdm.auto import tqdm

from .spaces import suggest_parameters
from .storages import Worker, open_storage

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_ROUNDING = 1e-8  # of a number of steps
_POLL = 1.0  # seconds between looks at the trials of other workers
_FIRST_TRIALS = 4  # that are not pruned: the rank among fewer says little


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

    Start the same script in several processes with the same `storage` and `study_name`, and they
    work on one study. Start it again after a crash, and it resumes: the trial that a killed worker
    was in is run again under the same number, with the same parameters.

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
        Finished trials (pruned ones among them) that the study has in the end, those of earlier
        runs and other processes included. With a journal, a process that has nothing left to
        start waits for the others; in a database each of them may finish one more.
    cv : int, splitter or iterable of (train, test), default=3
        Splits of `X` to score a trial. They must be the same in every process.
    scoring : str or callable, default=None
        Score to maximise; None uses the `score` method of the estimator.
    storage : str, path-like, optuna.storages.BaseStorage or None, default=None
        Storage of the study; see `open_storage`.
    study_name : str, default="cloud"
        Name of the study in the storage.
    pruner : optuna.pruners.BasePruner, default=None
        Prunes a trial between two folds, by its mean score over the folds that are finished; the
        step of a pruner is their number. None prunes a trial that is in the worse half of all
        trials after the same folds, from the fifth trial on; `optuna.pruners.NopPruner()` never
        prunes.
    random_state : int, default=0
        Seed. A trial's parameters follow from it, the trial's place among those that did not fail
        and the finished trials, so that one process gives the same study each time, interrupted
        or not.
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
    TypeError
        If the space is not a dict of distributions.
    ValueError
        If the stored study was made with other rows, folds or scoring, if the space names a
        parameter that the estimator does not have, or if a score is NaN.

    Warns
    -----
    UserWarning
        If the space does not contain the parameters that the estimator has.

    Notes
    -----
    The first trial has the parameters of `estimator` as they are, if the space contains them. A
    trial that ends with an error or with Ctrl-C is kept as failed, and the next one takes its
    parameters; so does the next after one that was killed while its study was in a database.
    The best score of a study is too good an estimate of the score on new crystals, because the
    parameters were chosen for it: score the refitted model on rows that the study has not seen.

    All values of a study are in the unit of the score, those of pruned trials (over fewer folds)
    as well. Trials are compared after the same folds, each with the whole training: after the same
    number of epochs, schedules of different length would be at different points.

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
    _check_names(space, estimator)
    if not isinstance(random_state, Integral) or random_state < 0:
        raise ValueError(f"random_state must be a non-negative integer, got {random_state!r}.")
    folds = list(check_cv(cv, y, classifier=is_classifier(estimator)).split(X, y))
    scorer = check_scoring(estimator, scoring=scoring)
    storage = open_storage(storage)
    with _messages(verbose):
        study = optuna.create_study(
            storage=storage,
            study_name=study_name,
            load_if_exists=True,
            direction="minimize",
            pruner=pruner or _BetterHalf(),
        )
    _check_task(study, joblib.hash((np.asarray(y), folds, str(scoring))))

    def score(trial):
        model = clone(estimator).set_params(**suggest_parameters(trial, space))
        return -float(np.mean(_score_folds(trial, model, X, y, folds, scorer)))

    with _messages(verbose), Worker(study, storage) as worker:
        _enqueue_as_is(study, estimator, space, worker)
        _run_trials(study, score, n_trials, worker, random_state, verbose)
    return study


def _run_trials(study, score, n_trials, worker, random_state, verbose):
    """Start trials until enough are finished, and wait for those of others if need be."""

    def objective(trial):
        trial.set_user_attr("claim", worker.name)
        trial.set_user_attr("worker", os.getpid())
        seed = _seed(study, trial, random_state)
        worker.end_turn()
        trial.study.sampler = optuna.samplers.TPESampler(seed=seed)
        return score(trial)

    with tqdm(total=n_trials, disable=not verbose, unit="trial") as bar:
        while True:
            worker.take_turn()
            try:
                n_finished = len(study.get_trials(deepcopy=False, states=FINISHED))
                bar.update(min(n_finished, n_trials) - bar.n)
                if n_finished >= n_trials:
                    break
                enough = n_finished + worker.count_running() >= n_trials
                if not enough:
                    study.optimize(objective, n_trials=1)
            finally:
                worker.end_turn()
            if enough:
                time.sleep(_POLL)


def _seed(study, trial, random_state):
    """Workers must not draw the same numbers, and a resumed study must not draw them again."""
    place = sum(
        other.number < trial.number and other.state != TrialState.FAIL
        for other in study.get_trials(deepcopy=False)
    )
    return int(np.random.SeedSequence([random_state, place]).generate_state(1)[0])


class _BetterHalf(optuna.pruners.BasePruner):
    """Prune what is in the worse half of the trials that have finished as many folds.

    This is the rule of successive halving. Optuna's own notes in the storage which trials it let
    pass, so that a trial that is run again would not be judged anew.
    """

    def prune(self, study, trial):
        step = trial.last_step
        values = [
            other.intermediate_values[step]
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number and step in other.intermediate_values
        ]
        if len(values) < _FIRST_TRIALS:
            return False
        rank = 1 + sum(value < trial.intermediate_values[step] for value in values)
        return rank > math.ceil((len(values) + 1) / 2)


def _score_folds(trial, model, X, y, folds, scorer):
    """Return the score of each fold; a trial with poor scores is pruned before the next fold."""
    scores = []
    for n_finished, fold in enumerate(folds, start=1):
        score = cross_val_score(model, X, y, cv=[fold], scoring=scorer, error_score="raise")
        if np.isnan(score[0]):
            # Optuna would count the trial as failed without an error, and it would start anew
            raise ValueError(
                f"The score of fold {n_finished} is NaN with {trial.params}: choose another "
                "scoring, or larger folds (R2, the default of regressors, needs two rows)."
            )
        scores.append(float(score[0]))
        trial.set_user_attr("scores", scores)
        with warnings.catch_warnings():
            # A trial that is run again has the values of its first run up to the kill.
            warnings.filterwarnings("ignore", ".*is already reported", UserWarning)
            trial.report(-float(np.mean(scores)), n_finished)
        if n_finished < len(folds) and trial.should_prune():
            raise optuna.TrialPruned
    return scores


def _check_names(space, estimator):
    """Raise an error if the space is none, or names parameters that the estimator does not have."""
    if not isinstance(space, dict):
        raise TypeError(f"space must be a dict of Optuna's distributions, got {space!r:.80}.")
    for name, values in space.items():
        if not isinstance(values, BaseDistribution):
            raise TypeError(
                f"The space of {name!r} must be one of Optuna's distributions, such as "
                f"CategoricalDistribution([...]), got {values!r:.80}."
            )
    params = estimator.get_params(deep=True)
    unknown = [name for name in space if name not in params]
    if unknown:
        raise ValueError(
            f"The space has {unknown[0]!r}, which is not a parameter of "
            f"{type(estimator).__name__}. Those of a step of a pipeline start with its name: "
            'default_space(prefix="cloudregressor__").'
        )


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


def _enqueue_as_is(study, estimator, space, worker):
    """Let the parameters that the estimator has be tried first, where the space has them."""
    params = estimator.get_params(deep=True)
    outside = [name for name, values in space.items() if not _contains(values, params[name])]
    if outside:
        warnings.warn(
            f"{outside[0]}={params[outside[0]]!r} is not in the space, so no trial has the "
            "parameters of the estimator as they are, and the study does not tell whether tuning "
            "gains anything. Add the value to the space.",
            stacklevel=3,
        )
        return
    worker.take_turn()
    try:
        if not any(
            "fixed_params" in trial.system_attrs and trial.state != TrialState.FAIL
            for trial in study.get_trials(deepcopy=False)
        ):
            study.enqueue_trial({name: params[name] for name in space})
    finally:
        worker.end_turn()


def _contains(values, value):
    if isinstance(values, CategoricalDistribution):
        return value in values.choices
    if not isinstance(value, int | float) or not values.low <= value <= values.high:
        return False
    steps = (value - values.low) / (values.step or 1)
    return not values.step or abs(steps - round(steps)) < _ROUNDING


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
