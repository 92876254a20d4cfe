"""Base of the classifiers with a network."""

from sklearn.base import ClassifierMixin

from .._compat import StrOptions
from .estimator import NetEstimator
from .targets import ClassTargets


class NetClassifier(ClassifierMixin, NetEstimator):
    """Base of the classifiers with a network: cross-entropy, stratified validation rows."""

    class_weight: dict | str | None = None

    _parameter_constraints = {"class_weight": [dict, StrOptions({"balanced"}), None]}

    def _new_targets(self):
        return ClassTargets(self.class_weight)

    @property
    def classes_(self):
        """The labels, sorted."""
        return self.targets_.classes

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            What the estimator reads, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows add up to 1.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError, ValueError
            If a row of ``X`` cannot be read; the message names it.
        """
        outputs = self._outputs(X)
        return self.targets_.decode(outputs)

    def predict(self, X):
        """Most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            What the estimator reads, as for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As `predict_proba`.
        """
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]
