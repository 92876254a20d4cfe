"""Ready-made predictors: fitted ensembles with a unit and a card."""

from functools import partial

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin

from ..ensembles.coverage import check_coverage
from .frozen_predictor import Predictor, missing_values
from .joint import join
from .properties import PROPERTIES


class PredictorRegressor(RegressorMixin, Predictor):
    """A ready-made predictor of a number, from `load_predictor`.

    Parameters
    ----------
    ensemble : CrystalRegressor
        Fitted.
    card : PredictorCard
        Description: data, unit, errors, limits. Shown in notebooks and by ``print(card)``.
    zero_if : CrystalClassifier, default=None
        Fitted. Where its last class is more probable than not, the prediction is 0, and where it is
        possible, the interval contains 0: a metal has no band gap.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that cannot be predicted. `"raise"` lists all of them in one error;
        `"warn"` lists them in one `UserWarning`, and their predictions are NaN.
    n_jobs : int, default=None
        Number of joblib workers that read crystals.
    verbose : int, default=0
        If not 0, show a progress bar.

    See Also
    --------
    load_predictor : Load one.
    predict_properties : Predict several properties at once.

    Notes
    -----
    It is fitted already and stays so: `fit` changes nothing and `clone` returns the predictor
    itself, as for `sklearn.frozen.FrozenEstimator`.

    Examples
    --------
    >>> from sklearn_cloud.predictors import load_predictor
    >>> predictor = load_predictor("bulk_modulus")  # doctest: +SKIP
    >>> predictor.predict(["MgO.cif"])  # doctest: +SKIP
    """

    def __init__(self, ensemble, card, *, zero_if=None, on_error="raise", n_jobs=None, verbose=0):
        super().__init__(ensemble, card, on_error=on_error, n_jobs=n_jobs, verbose=verbose)
        self.zero_if = zero_if

    def predict(self, X, return_std=False):
        """Predict the property of crystals.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals as for `SymmetryStringTransformer`; formulas if the card says so. Where only
            the formula is used, structures are accepted too.
        return_std : bool, default=False
            Whether to return an uncertainty as well.

        Returns
        -------
        predictions : ndarray of shape (n_samples,)
            In the unit of the card.
        std : ndarray of shape (n_samples,)
            Only with `return_std`: half the width of the interval that covers 68.3 %.

        Raises
        ------
        TypeError, CrystalError
            If rows cannot be predicted; the message lists them.

        Warns
        -----
        UserWarning
            If crystals have elements that no training crystal has.
        """
        value, lower, upper = self._predict_blocks(X, partial(self._columns, coverage=0.683)).T
        return (value, (upper - lower) / 2) if return_std else value

    def predict_interval(self, X, coverage=0.9):
        """Predict intervals that contain the true value with a given probability.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `predict`.
        coverage : float, default=0.9
            Share of crystals like the training crystals whose interval contains the true value.

        Returns
        -------
        ndarray of shape (n_samples, 2)
            Lower and upper bounds, in the unit of the card.

        Raises
        ------
        TypeError, CrystalError
            As `predict`.
        ValueError
            If `coverage` is not between 0 and 1.
        """
        check_coverage(coverage)
        return self._predict_blocks(X, partial(self._columns, coverage=coverage))[:, 1:]

    def _columns(self, described, coverage):
        found = self.predict_described(described, coverage)
        return np.column_stack([found[name] for name in ("value", "lower", "upper")])

    def predict_described(self, described, coverage=0.9):
        """Return "value", "lower", "upper" and "applicability" of crystals that were read.

        Parameters
        ----------
        described : Described
            From `describe`.
        coverage : float, default=0.9

        Returns
        -------
        dict of str to ndarray of shape (n_rows,)
        """
        if not described.crystals:
            return missing_values(described.n_rows)
        tables = described.tables
        value, lower, upper = self.ensemble._predict_bounds(tables, coverage)
        found = {"value": value, "lower": lower, "upper": upper}
        found = {name: described.spread(self._in_unit(v)) for name, v in found.items()}
        if self.zero_if is not None:
            probability = self.zero_if._predict_tables(tables)[:, -1]
            found = join(found, described.spread(probability), coverage)
        return {**found, "applicability": self._applicability(described)}

    def _in_unit(self, values):
        values = 10**values if self.card["transform"] == "log10" else values
        prop = PROPERTIES.get(self.card["name"])
        if prop is None or prop.lowest is None:
            return values
        return np.maximum(values, prop.lowest)


class PredictorClassifier(ClassifierMixin, Predictor):
    """A ready-made predictor of a class, from `load_predictor`.

    Parameters
    ----------
    ensemble : CrystalClassifier
        Fitted.
    card : PredictorCard
        Description: data, errors, limits. Shown in notebooks and by ``print(card)``.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that cannot be predicted. `"raise"` lists all of them in one error;
        `"warn"` lists them in one `UserWarning`, their labels are None and their probabilities
        NaN.
    n_jobs : int, default=None
        Number of joblib workers that read crystals.
    verbose : int, default=0
        If not 0, show a progress bar.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.

    See Also
    --------
    load_predictor : Load one.

    Notes
    -----
    It is fitted already and stays so: `fit` changes nothing and `clone` returns the predictor
    itself, as for `sklearn.frozen.FrozenEstimator`.

    Examples
    --------
    >>> from sklearn_cloud.predictors import load_predictor
    >>> predictor = load_predictor("is_metal")  # doctest: +SKIP
    >>> predictor.predict(["MgO.cif"])  # doctest: +SKIP
    """

    @property
    def classes_(self):
        return self.ensemble.classes_

    def predict_proba(self, X):
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals as for `SymmetryStringTransformer`; formulas if the card says so.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        TypeError, CrystalError
            If rows cannot be predicted; the message lists them.
        """
        return self._predict_blocks(X, self._probabilities)

    def _probabilities(self, described):
        if not described.crystals:
            return np.full((described.n_rows, len(self.classes_)), np.nan)
        return described.spread(self.ensemble._predict_tables(described.tables))

    def predict(self, X):
        """Predict the most probable class.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `predict_proba`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; None in the rows skipped by `on_error="warn"`.

        Raises
        ------
        TypeError, CrystalError
            As `predict_proba`.
        """
        probabilities = self.predict_proba(X)
        bad = np.isnan(probabilities).any(axis=1)
        labels = self.classes_[np.nan_to_num(probabilities).argmax(axis=1)]
        if bad.any():
            labels = labels.astype(object)
            labels[bad] = None
        return labels

    def predict_described(self, described, coverage=0.9):
        """Return "value" (probability of the last class) and "applicability" of crystals read.

        Parameters
        ----------
        described : Described
            From `describe`.
        coverage : ignored

        Returns
        -------
        dict of str to ndarray of shape (n_rows,)
            "lower" and "upper" are NaN.
        """
        found = missing_values(described.n_rows)
        if not described.crystals:
            return found
        return {
            **found,
            "value": self._probabilities(described)[:, -1],
            "applicability": self._applicability(described),
        }
