"""CrystalClassifier: predict classes of crystals without tuning."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.multiclass import check_classification_targets

from ..training.checks import check_labels
from .crystal_estimator import CrystalEstimator
from .member_weights import log_loss_weights
from .members import classification_members


class CrystalClassifier(ClassifierMixin, CrystalEstimator):
    """Predict classes of crystals with an ensemble of different models, without tuning.

    As in `CrystalRegressor`, the models are fitted on folds of the training rows and weighted by
    their out-of-fold predictions, here by cross-entropy.

    Parameters
    ----------
    effort : {"fast", "default", "best"}, default="default"
        `"fast"` leaves out the network, `"best"` adds support vectors.
    n_folds : int, default=5
        Number of folds of the training rows; every class needs at least as many rows.
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
        The fitted models of each member, one for each fold.
    weights_ : dict of str to float
        Weight of each member; non-negative, with sum 1.
    member_accuracies_ : dict of str to float
        Accuracy of the out-of-fold predictions of each member.
    expected_accuracy_ : float
        Accuracy of the weighted mean on rows used neither for the models nor for the weights.
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
    >>> model = CrystalClassifier("fast", n_folds=3, random_state=0).fit(crystals, wide)
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
        rare = np.flatnonzero(counts < self.n_folds)
        if len(rare):
            raise ValueError(
                f"The class {str(self.classes_[rare[0]])!r} has {counts[rare[0]]} rows, fewer than "
                f"n_folds={self.n_folds}: pass more rows of it, or a smaller n_folds."
            )
        return codes

    def _new_members(self, y, seed):
        return classification_members(
            self.effort,
            y,
            random_state=seed,
            device=self.device,
            n_jobs=self.n_jobs,
            verbose=0,
        )

    def _folds(self, y, seed):
        return list(StratifiedKFold(self.n_folds, shuffle=True, random_state=seed).split(y, y))

    def _predict_with(self, model, table):
        return model.predict_proba(table)

    def _fit_weights(self, fits, tables, y, weights, folds, seed):
        weights = np.ones(len(y)) if weights is None else weights.astype(float)
        probabilities = np.array([fit.predictions for fit in fits])
        values = log_loss_weights(probabilities, y, weights)
        self.weights_ = {fit.name: float(w) for fit, w in zip(fits, values, strict=True)}
        self.member_accuracies_ = {
            fit.name: float(np.average(fit.predictions.argmax(axis=1) == y, weights=weights))
            for fit in fits
        }
        honest = np.empty(len(y), dtype=int)
        for train, test in folds:
            chosen = log_loss_weights(probabilities[:, train], y[train], weights[train])
            honest[test] = np.tensordot(chosen, probabilities[:, test], 1).argmax(axis=1)
        self.expected_accuracy_ = float(np.average(honest == y, weights=weights))

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
        return self._fold_predictions(self._tables(X)).mean(axis=0)

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
