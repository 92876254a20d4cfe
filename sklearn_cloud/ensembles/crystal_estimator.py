"""Base class of `CrystalRegressor` and `CrystalClassifier`."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from .._compat import StrOptions
from ..notebook import NotebookSummary
from ..training.checks import accept_strings, check_weights
from ..training.devices import choose_device
from ..wording import percent
from .applicability import Applicability, embed
from .cross_fitting import cross_fit, fit_on_all
from .fitted_state import check_ensemble
from .members import EFFORTS, check_members
from .training_folds import LeftOut, make_folds, weighted_parts
from .views import VIEWS, compute_views, make_views, read_crystals

_SEEDS = 2**31 - 1


class CrystalEstimator(NotebookSummary, BaseEstimator):
    """Base class of the ensembles of different models.

    A subclass defines the members (`_make_members`, `_member_names`), how to predict with one
    (`_predict_with`), how to weight them (`_fit_weights`) and whether folds are stratified.
    """

    _parameter_constraints = {
        "effort": [StrOptions(set(EFFORTS))],
        "members": ["array-like", None],
        "cv": ["cv_object"],
        "refit": ["boolean"],
        "physics": "no_validation",
        "device": [str, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        effort="default",
        *,
        members=None,
        cv=None,
        refit=True,
        physics=None,
        device=None,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.effort = effort
        self.members = members
        self.cv = cv
        self.refit = refit
        self.physics = physics
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None):
        """Fit all members and their weights.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals or formulas, as for `SymmetryStringTransformer`; structures in every row, or
            formulas in every row.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None means equal weights. A row of weight 0 is not used. The
            intervals of the regressor use the other rows equally.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If a row of ``X`` is not a crystal.
        ValueError
            If a parameter, a crystal, a fold or a target is invalid, or all members failed; the
            message names the row.
        """
        self._validate_params()
        choose_device(self.device)
        options = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        crystals, structures = read_crystals(X, **options)
        # the old members would predict the new classes if a check below failed
        vars(self).pop("members_", None)
        y = self._check_y(y, len(crystals))
        weights = None if sample_weight is None else check_weights(sample_weight, len(y))
        seed = check_random_state(self.random_state).randint(_SEEDS)
        folds = make_folds(self.cv, y, stratify=self._stratify, random_state=seed)
        folds = weighted_parts(folds, weights)
        self._check_folds(folds, y)
        rows = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
        check_members(self.members, self._member_names, len(y))
        self.reads_structures_ = structures
        self.views_ = make_views(structures, self.physics, **options)
        members = self._new_members(y[rows], seed)
        tables = compute_views(self.views_, crystals, VIEWS)
        if self.members is None:
            members = self._worth_fitting(members, tables["features"][rows], y[rows])
        fits = self._cross_fit(members, tables, y, weights, folds)
        self._fit_weights(LeftOut(fits, tables["features"], y, weights, folds, seed))
        self.applicability_ = Applicability().fit(_strings(tables)[rows])
        self.members_ = self._final_models(fits, tables, y, weights, rows)
        self.view_of_member_ = {fit.name: fit.view for fit in fits}
        self.seconds_ = {fit.name: round(fit.seconds, 1) for fit in fits}
        return self

    def _new_members(self, y, seed):
        options = {
            "structures": self.reads_structures_,
            "device": self.device,
            "n_jobs": self.n_jobs,
            "random_state": seed,
        }
        return self._make_members(self.effort, y, members=self.members, **options)

    def _check_folds(self, folds, y):
        """Raise ValueError if a member cannot be fitted on a fold."""

    def _worth_fitting(self, members, features, y):
        """Return the members that can differ from the others, now that the features are known."""
        return members

    def _cross_fit(self, members, tables, y, weights, folds):
        total = len(members) * len(folds)
        name = f"{type(self).__name__}.fit"
        with tqdm(total=total, desc=name, disable=not self.verbose) as bar:
            fits = [
                cross_fit(m, tables[m.view], y, weights, folds, self._predict_with, bar)
                for m in members
            ]
        fits = [fit for fit in fits if fit is not None]
        if not fits:
            raise ValueError("All members failed; see the warnings for the reasons.")
        return fits

    def _final_models(self, fits, tables, y, weights, rows):
        """Return the models that predict: those of the folds, or one fitted on all rows."""
        if not self.refit:
            return {fit.name: fit.models for fit in fits}
        used = [fit for fit in fits if self.weights_[fit.name] > 0]
        label = f"{type(self).__name__}.fit, all rows"
        bar = tqdm(used, desc=label, disable=not self.verbose)
        weights = None if weights is None else weights[rows]
        return {
            fit.name: [fit_on_all(fit, tables[fit.view][rows], y[rows], weights)] for fit in bar
        }

    def _tables(self, X):
        """Return the views of new crystals."""
        check_is_fitted(self)
        crystals, structures = read_crystals(X, n_jobs=self.n_jobs, verbose=self.verbose)
        if structures != self.reads_structures_:
            fitted, given = ("structures", "compositions")[:: 1 if self.reads_structures_ else -1]
            raise ValueError(
                f"This {type(self).__name__} was fitted on {fitted}, but X has {given}: pass "
                f"{fitted}."
            )
        return compute_views(self.views_, crystals, VIEWS)

    def _member_predictions(self, tables):
        """Return {name of a member: predictions of shape (n_models, n_rows, ...)}."""
        return {
            name: np.array(
                [self._predict_with(m, tables[self.view_of_member_[name]]) for m in models]
            )
            for name, models in self.members_.items()
            if self.weights_[name] > 0
        }

    def _weighted(self, of_member):
        """Return the weighted sum of `_member_predictions`."""
        return sum(self.weights_[name] * predictions for name, predictions in of_member.items())

    def _predict_tables(self, tables):
        """Return the predictions for the views of crystals, shape (n_rows, ...)."""
        return self._weighted(self._member_predictions(tables)).mean(axis=0)

    def predict_members(self, X):
        """Predict with each member on its own.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.

        Returns
        -------
        dict of str to ndarray of shape (n_samples,) or (n_samples, n_classes)
            Targets, or probabilities of the classes, by the name of the member. Members without a
            weight are left out. The weighted sum is the prediction of the ensemble.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of ``X`` is not a crystal, or not of the kind seen in `fit`.
        """
        of_member = self._member_predictions(self._tables(X))
        return {name: predictions.mean(axis=0) for name, predictions in of_member.items()}

    def applicability(self, X):
        """Return the similarity of crystals to the training crystals.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Share of the training crystals that are further from the others than this one, in the
            space of the encoder's vectors: below 0.05, a prediction is an extrapolation.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        return self._applicability(self._tables(X))

    def _applicability(self, tables):
        strings = _strings(tables)
        if "vectors" not in tables:  # once for all estimators that share the tables
            tables["vectors"] = embed(strings)
        return self.applicability_.score(strings, tables["vectors"])

    def _summary(self):
        reads = "structures" if self.reads_structures_ else "compositions"
        weights = sorted(self.weights_.items(), key=lambda item: -item[1])
        used = ", ".join(f"{name} {percent(weight)}" for name, weight in weights if weight > 0)
        return {"reads": reads, "members": used, **self._expectation()}

    def _expectation(self):
        """Return what to expect of new predictions, for the summary."""
        raise NotImplementedError

    def __setstate__(self, state):
        super().__setstate__(state)
        if hasattr(self, "members_"):
            check_ensemble(self)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "members_")

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())


def _strings(tables):
    strings = tables["strings"]
    return strings if strings.ndim == 1 else strings[:, 0]
