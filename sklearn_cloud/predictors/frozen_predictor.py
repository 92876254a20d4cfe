"""Base class of the ready-made predictors: fitted already, with checks of what they are given."""

import warnings
from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator

from ..crystals.items import as_items
from ..training.checks import accept_strings
from .predictor_input import Problems, check_on_error, describe, read_blocks, read_rows_of

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

    def _describe(self, rows):
        """Return what `predict_described` needs, with the errors of bad rows."""
        return describe(
            rows, self.ensemble, self.card["needs"], self.card["name"], n_jobs=self.n_jobs
        )

    def _describe_all(self, X):
        """Return what `predict_described` needs of all rows at once, and report bad rows."""
        check_on_error(self.on_error)
        rows, problems = read_rows_of(as_items(X), n_jobs=self.n_jobs), Problems()
        described = self._describe(rows)
        problems.add(rows, described.errors)
        problems.report(self.on_error)
        self._warn_unseen(self._unseen_elements(described), described.n_rows)
        return described

    def _predict_blocks(self, X, predict):
        """Return what `predict` makes of the `Described` of each block, as one array."""
        check_on_error(self.on_error)
        problems, unseen, parts = Problems(), {}, []
        for rows in read_blocks(X, n_jobs=self.n_jobs, verbose=self.verbose):
            described = self._describe(rows)
            found = self._unseen_elements(described)
            unseen |= {problems.n_rows + row: elements for row, elements in found.items()}
            problems.add(rows, described.errors)
            if self.on_error == "warn" or not problems.errors:
                parts.append(predict(described))
        problems.report(self.on_error)
        self._warn_unseen(unseen, problems.n_rows)
        return np.concatenate(parts)

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
        return self._predict_blocks(X, self._applicability)

    def _applicability(self, described):
        if not described.crystals:
            return np.full(described.n_rows, np.nan)
        return described.spread(self.ensemble._applicability(described.tables))

    def _warn_unseen(self, unseen, n_rows):
        """Warn of crystals with elements that no training crystal has."""
        if not unseen:
            return
        listed = [f"row {row}: {', '.join(found)}" for row, found in list(unseen.items())[:_LISTED]]
        more = f" and {len(unseen) - _LISTED} more rows" if len(unseen) > _LISTED else ""
        warnings.warn(
            f"{len(unseen)} of {n_rows} crystals have elements that no training crystal "
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
        """Save the fine-tuned encoder of the member CLOUD, as a start for a related property.

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
            If CLOUD is no member of the predictor; its card names the members.
        """
        from ..encoder import save_encoder
        from ..estimators.cloud import CloudEstimator

        network = self._member_of_kind(CloudEstimator, "encoder of strings", "encoder='mini'")
        return save_encoder(
            directory,
            network.net_.module_.encoder,
            network.encoder_config_,
            network.tokenizer_,
            metadata=self._origin(),
        )

    def save_graph_network(self, directory):
        """Save the graph network, as a start for a related property.

        Parameters
        ----------
        directory : str or path-like
            Folder of the checkpoint, for ``GraphRegressor(directory)``; created if needed.

        Returns
        -------
        pathlib.Path
            The folder.

        Raises
        ------
        ValueError
            If the predictor has no graph network; its card names the members.
        """
        from ..estimators.graph_network import GraphEstimator
        from ..graphs.graph_checkpoints import save_graph_network
        from ..graphs.graph_config import GraphConfig

        network = self._member_of_kind(GraphEstimator, "graph network", "network='mini'")
        config = GraphConfig(**network.graph_config_)
        encoder = network.net_.module_.encoder
        return save_graph_network(directory, encoder, config, metadata=self._origin())

    def _member_of_kind(self, kind, what, instead):
        models = [model for models in self.ensemble.members_.values() for model in models]
        for model in models:
            if isinstance(model, kind):
                return model
        raise ValueError(
            f"the predictor of {self.card['name']!r} has no {what} (its members are "
            f"{', '.join(self.ensemble.members_)}): use {instead}."
        )

    def _origin(self):
        return {"fine-tuned": self.card["name"], "table": self.card["data"]["table"]}

    def _why_not_saved(self):
        """Return why `save_model` does not write it."""
        name = self.card["name"]
        return (
            f"the predictor of {name!r} is part of sklearn-cloud. Load it by its name, with "
            f"load_predictor({name!r}), wherever it is needed."
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


def missing_values(n_rows):
    """Return the result of `predict_described` if no row can be predicted."""
    names = ("value", "lower", "upper", "applicability")
    return {name: np.full(n_rows, np.nan) for name in names}
