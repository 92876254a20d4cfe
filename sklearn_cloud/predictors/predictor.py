"""Ready-made predictors: fitted ensembles with a unit, a card and checks of what they are given."""

import warnings
from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from ..training.checks import accept_strings
from .predictor_input import describe, read_rows_of
from .properties import PROPERTIES

_LISTED = 10  # rows named in a warning


class Predictor(BaseEstimator):
    """Base of the ready-made predictors.

    They are fitted already and stay so: `fit` changes nothing and `clone` returns the predictor
    itself, as for `sklearn.frozen.FrozenEstimator`.

    Parameters
    ----------
    ensemble : CrystalRegressor or CrystalClassifier
        Fitted.
    card : PredictorCard
        Its description.
    on_error : {"raise", "warn"}, default="raise"
        How to handle rows that cannot be predicted. `"raise"` lists all of them in one error;
        `"warn"` lists them in one `UserWarning`, and their predictions are NaN.
    n_jobs : int, default=None
        Number of joblib workers that read crystals.
    verbose : int, default=0
        If not 0, show a progress bar.
    """

    def __init__(self, ensemble, card, *, on_error="raise", n_jobs=None, verbose=0):
        self.ensemble = ensemble
        self.card = card
        self.on_error = on_error
        self.n_jobs = n_jobs
        self.verbose = verbose

    def fit(self, X=None, y=None):
        """Do nothing: the predictor is fitted.

        Parameters
        ----------
        X, y : ignored

        Returns
        -------
        self : object
        """
        return self

    def _describe(self, X):
        """Return what `predict_described` needs; `X` may be rows that were read before."""
        rows = X if hasattr(X, "places") else read_rows_of(X, n_jobs=self.n_jobs)
        return describe(
            rows,
            self.ensemble,
            self.card["needs"],
            self.card["name"],
            on_error=self.on_error,
            n_jobs=self.n_jobs,
        )

    @abstractmethod
    def predict_described(self, described, coverage=0.9):
        """Return predictions for all rows, as a dict of arrays."""

    def applicability(self, X):
        """Return the similarity of crystals to the training crystals.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals.

        Returns
        -------
        ndarray of shape (n_samples,)
            As `CrystalRegressor.applicability`; 0 with an element that no training crystal has.
        """
        return self._applicability(self._read(X))

    def _read(self, X):
        label = {"n_jobs": self.n_jobs, "verbose": self.verbose}
        described = self._describe(read_rows_of(X, **label))
        self._warn_unseen(described)
        return described

    def _applicability(self, described):
        if not described.crystals:
            return np.full(described.n_rows, np.nan)
        return described.spread(self.ensemble._applicability(described.tables))

    def _warn_unseen(self, described):
        """Warn of crystals with elements that no training crystal has."""
        unseen = self._unseen_elements(described)
        if not unseen:
            return
        listed = [f"row {row}: {', '.join(found)}" for row, found in list(unseen.items())[:_LISTED]]
        more = f" and {len(unseen) - _LISTED} more rows" if len(unseen) > _LISTED else ""
        warnings.warn(
            f"{len(unseen)} of {described.n_rows} crystals have elements that no training crystal "
            f"of {self.card['name']!r} has: {'; '.join(listed)}{more}. Their predictions are "
            "extrapolations, and their intervals may be too narrow.",
            stacklevel=4,
        )

    def _unseen_elements(self, described):
        """Return {row: elements that no training crystal has}, of the rows with any."""
        known = set(self.ensemble.applicability_.elements_)
        unseen = [sorted(set(crystal.composition) - known) for crystal in described.crystals]
        rows = zip(described.rows.tolist(), described.places, strict=True)
        return {row: unseen[place] for row, place in rows if unseen[place]}

    def save_encoder(self, directory):
        """Save the fine-tuned encoder of the network, as a start for a related property.

        Parameters
        ----------
        directory : str or path-like
            Folder of the checkpoint, for ``CloudRegressor(encoder=directory)``; created if needed.

        Returns
        -------
        pathlib.Path
            The folder.

        Raises
        ------
        ValueError
            If the predictor has no network; its card names the members.
        """
        from ..encoder import save_encoder

        networks = [m for models in self.ensemble.members_.values() for m in models]
        networks = [model for model in networks if hasattr(model, "net_")]
        if not networks:
            raise ValueError(
                f"the predictor of {self.card['name']!r} has no network (its members are "
                f"{', '.join(self.ensemble.members_)}): use encoder='mini'."
            )
        network = networks[0]
        return save_encoder(
            directory,
            network.net_.module_.encoder,
            network.encoder_config_,
            network.tokenizer_,
            metadata={"fine-tuned": self.card["name"], "table": self.card["data"]["table"]},
        )

    def __sklearn_clone__(self):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())

    def __repr__(self, N_CHAR_MAX=700):
        return f"{type(self).__name__}({self.card.title})"

    def _repr_html_(self):
        return self.card._repr_html_()

    def _repr_mimebundle_(self, **kwargs):
        return {"text/plain": repr(self), "text/html": self.card._repr_html_()}


class PredictorRegressor(RegressorMixin, Predictor):
    """A ready-made predictor of a number, from `load_predictor`.

    Parameters
    ----------
    ensemble : CrystalRegressor
        Fitted.
    card : PredictorCard
        Description: data, unit, errors, limits. Shown in notebooks and by ``print(card)``.
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
        described = self._read(X)
        found = self.predict_described(described, 0.683)
        if not return_std:
            return found["value"]
        return found["value"], (found["upper"] - found["lower"]) / 2

    def predict_interval(self, X, coverage=0.9):
        """Predict intervals that contain the true value with a given probability.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals, as for `predict`.
        coverage : float, default=0.9
            Share of crystals like those of the training whose interval contains the true value.

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
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")
        found = self.predict_described(self._read(X), coverage)
        return np.column_stack([found["lower"], found["upper"]])

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
        lower, upper = self.ensemble._interval(tables, coverage).T
        value = self.ensemble._fold_predictions(tables).mean(axis=0)
        found = {"value": value, "lower": lower, "upper": upper}
        found = {name: described.spread(self._in_unit(v)) for name, v in found.items()}
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
        described = self._read(X)
        if not described.crystals:
            return np.full((described.n_rows, len(self.classes_)), np.nan)
        return described.spread(self.ensemble._fold_predictions(described.tables).mean(axis=0))

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
        probabilities = self.ensemble._fold_predictions(described.tables).mean(axis=0)
        return {
            **found,
            "value": described.spread(probabilities[:, -1]),
            "applicability": self._applicability(described),
        }


def missing_values(n_rows):
    """Return the result of `predict_described` if no row can be predicted."""
    names = ("value", "lower", "upper", "applicability")
    return {name: np.full(n_rows, np.nan) for name in names}
