"""CrystalClassifier: predict classes of crystals without tuning."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from ..training.checks import check_labels
from ..wording import percent
from .crystal_estimator import CrystalEstimator
from .member_weights import log_loss_weights
from .members import CLASSIFICATION_MEMBERS, classification_members
from .training_folds import check_classes, count_shuffled_folds


class CrystalClassifier(ClassifierMixin, CrystalEstimator):
    """Predict classes of crystals with an ensemble of different models, without tuning.

    As in `CrystalRegressor`, the models are fitted on folds of the training rows and weighted by
    their out-of-fold predictions, here by cross-entropy.

    Parameters
    ----------
    effort : {"fast", "default", "best"}, default="default"
        `"fast"` leaves out the networks; `"best"` adds support vectors, and trains the network on
        graphs for twice as many epochs.
    members : sequence of str, default=None
        Names of the members, see the user guide; None leaves the choice to `effort`.
    cv : int, cross-validation splitter or iterable of (train, test), default=None
        Folds of the training rows. None means five shuffled folds or, above 3,000 rows, a single
        split that leaves out a fifth of them, at most 5,000. An integer means that many shuffled,
        stratified folds, and every class needs at least as many rows. A splitter or a list may
        leave out only some of the rows, each of them once. An iterator is used up by the first fit.
    refit : bool, default=True
        Whether to predict with one model per member that is fitted on all rows. It takes one more
        fit of each member with a weight. Otherwise a prediction is the mean over the models of the
        folds; the fitted estimator is larger and predicts more slowly.
    physics : PotentialPhysics, default=None
        Unfitted transformer; adds features computed with a pre-trained potential. None leaves them
        out.
    device : str, default=None
        Device of the networks; None uses CUDA if available, else the CPU.
    n_jobs : int, default=None
        Number of workers for reading crystals, features and trees; None means 1 unless in a
        `joblib.parallel_config` context.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds and the members.
    verbose : int, default=0
        If not 0, show progress bars.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    members_ : dict of str to list of estimators
        The fitted models: with `refit` one of each member with a weight, otherwise of every
        member one for each fold.
    weights_ : dict of str to float
        Weight of each member; non-negative, with sum 1.
    member_accuracies_ : dict of str to float
        Accuracy of the out-of-fold predictions of each member.
    expected_accuracy_ : float
        Accuracy of the weighted mean on rows used neither for the models nor for the weights.
    oof_probabilities_ : ndarray of shape (n_samples, n_classes)
        Out-of-fold probabilities of the weighted mean; NaN for rows that no fold leaves out.
    seconds_ : dict of str to float
        Time to fit each member.
    reads_structures_ : bool
        Whether it was fitted on structures; otherwise on compositions.

    See Also
    --------
    CrystalRegressor : Predict numbers.

    Examples
    --------
    >>> from sklearn_cloud import CrystalClassifier
    >>> from sklearn_cloud.datasets import load_example
    >>> crystals, band_gaps = load_example(return_X_y=True)
    >>> crystals, wide = crystals[::5], band_gaps[::5] > 2
    >>> model = CrystalClassifier("fast", cv=3, random_state=0).fit(crystals, wide)
    >>> model.predict_proba(crystals[:2]).shape
    (2, 2)
    """

    def _check_y(self, y, n_rows):
        y = check_labels(y, n_rows, type(self).__name__)
        check_classification_targets(y)
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, but the data contain "
                f"only one class: {str(self.classes_[0])!r}."
            )
        rare = counts.argmin()
        n_folds = count_shuffled_folds(self.cv, n_rows)
        label = str(self.classes_[rare])
        if n_folds == 1 and counts[rare] < 2:
            raise ValueError(
                f"The class {label!r} has a single row, but a row of each class is left out: pass "
                "more rows of it."
            )
        if n_folds is not None and counts[rare] < n_folds:
            raise ValueError(
                f"The class {label!r} has {counts[rare]} rows, fewer than the cv={n_folds} folds: "
                "pass more rows of it, or fewer folds."
            )
        return codes

    def _check_folds(self, folds, y):
        check_classes(folds, y, self.classes_)

    _stratify = True
    _member_names = CLASSIFICATION_MEMBERS

    def _make_members(self, *arguments, **options):
        return classification_members(*arguments, **options)

    def _expectation(self):
        classes = ", ".join(map(str, self.classes_[:8]))
        accuracy = f"{percent(self.expected_accuracy_, 1)} (on rows left out)"
        return {"classes": classes, "expected accuracy": accuracy}

    def _predict_with(self, model, table):
        return model.predict_proba(table)

    def _fit_weights(self, left_out):
        y, weights, probabilities = left_out.y, left_out.sample_weight, left_out.predictions
        self.weights_ = left_out.by_name(log_loss_weights(probabilities, y, weights))
        hits = probabilities.argmax(axis=2) == y
        self.member_accuracies_ = left_out.by_name(np.average(hits, axis=1, weights=weights))
        honest = np.empty(probabilities.shape[1:])
        for train, test in left_out.folds:
            chosen = log_loss_weights(probabilities[:, train], y[train], weights[train])
            honest[test] = np.tensordot(chosen, probabilities[:, test], 1)
        self.oof_probabilities_ = np.full((left_out.n_rows, len(self.classes_)), np.nan)
        self.oof_probabilities_[left_out.rows] = honest
        self.expected_accuracy_ = float(np.average(honest.argmax(axis=1) == y, weights=weights))

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows sum to 1.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of ``X`` is not a crystal, or not of the kind seen in `fit`.
        """
        return self._predict_tables(self._tables(X))

    def predict_all(self, X):
        """Predict labels, probabilities and applicability, and read the crystals once.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.

        Returns
        -------
        dict of str to ndarray
            "predicted": labels, shape (n_samples,); "probabilities": shape (n_samples,
            n_classes); "applicability": as by `applicability`.

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As `predict_proba`.
        """
        tables = self._tables(X)
        probabilities = self._predict_tables(tables)
        return {
            "predicted": self.classes_[probabilities.argmax(axis=1)],
            "probabilities": probabilities,
            "applicability": self._applicability(tables),
        }

    def predict(self, X):
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As `predict_proba`.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]
