"""What every supervised estimator on symmetry strings shares."""

import warnings
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from ..encoder.checkpoints import load_encoder
from ..encoder.devices import choose_bf16, choose_device, device_or_cpu
from .batches import TokenDataset, distinct_strings
from .checks import accept_strings, check_lengths, check_strings, check_weights
from .net import export_net, local_seed, restore_net, train_net
from .persistence import STATE_VERSION, load_estimator, save_estimator, versions

SEED_LIMIT = np.iinfo(np.int32).max


class CloudEstimator(BaseEstimator):
    """Base of the estimators: an encoder and a head, trained together.

    A subclass says what the targets are: `_check_targets` (before the validation rows are taken
    out), `_fit_targets` (numbers for the loss, from statistics of the training rows only), the
    class of its loss in ``_criterion``, and a ``predict`` on top of `_raw_outputs`. It may weigh
    the rows by their targets in `_weigh_rows` and choose the validation rows by them in
    `_validation_rows`.
    """

    _parameter_constraints = {
        "encoder": "no_validation",
        "head_layers": [Interval(Integral, 1, None, closed="left")],
        "head_width": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "warmup_ratio": [Interval(Real, 0, 1, closed="both")],
        "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "on_too_long": [StrOptions({"raise", "truncate"})],
        "device": [str, torch.device, None],
        "precision": [StrOptions({"auto", "fp32", "bf16"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        encoder="mini",
        *,
        head_layers=1,
        head_width=None,
        dropout=0.1,
        max_epochs=50,
        learning_rate=5e-4,
        batch_size=32,
        weight_decay=0.01,
        warmup_ratio=0.1,
        freeze_epochs=0,
        validation_fraction=0.1,
        patience=None,
        on_too_long="raise",
        device=None,
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.head_layers = head_layers
        self.head_width = head_width
        self.dropout = dropout
        self.max_epochs = max_epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.warmup_ratio = warmup_ratio
        self.freeze_epochs = freeze_epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.on_too_long = on_too_long
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X, y, sample_weight=None):
        """Train encoder and head.

        Parameters
        ----------
        X : array-like of str, shape (n_samples,) or (n_samples, 1)
            Symmetry strings: a list, array, Series or one-column table.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets: numbers, or the labels of a classifier.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss; None weighs all alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If a row of ``X`` is not a string.
        ValueError
            If a parameter, a string or a target cannot be used; the message names the row.
        """
        self._validate_params()
        strings = check_strings(X, type(self).__name__)
        # Should this fit fail, no earlier network is left behind with the scales of this one.
        vars(self).pop("net_", None)
        y = self._check_targets(y, len(strings))
        weights = self._weigh_rows(y, check_weights(sample_weight, len(strings)))
        device = choose_device(self.device)
        checkpoint = load_encoder(self.encoder)
        self.tokenizer_ = checkpoint.tokenizer
        self.encoder_config_ = replace(checkpoint.config, dropout=float(self.dropout))
        token_ids = self._tokenize(strings)

        rng = check_random_state(self.random_state)
        split_seed, torch_seed, batch_seed = (rng.randint(SEED_LIMIT) for _ in range(3))
        # A row without weight is as good as absent, in the statistics of the targets too.
        train, valid = self._split_rows(np.flatnonzero(weights), y, split_seed)
        targets = self._fit_targets(y, train)
        pad_id = self.encoder_config_.pad_id
        datasets = [
            TokenDataset([token_ids[i] for i in rows], targets[rows], weights[rows], pad_id)
            if len(rows)
            else None
            for rows in (train, valid)
        ]
        self.device_ = device
        with local_seed(torch_seed, device):
            self._train(checkpoint.weights, *datasets, batch_seed)
        return self

    def _train(self, encoder_weights, train, valid, batch_seed):
        module_params = {
            "config": self.encoder_config_,
            "n_outputs": self.n_outputs_,
            "head_layers": self.head_layers,
            "head_width": self.head_width,
            "bf16": choose_bf16(self.precision, self.device_),
        }
        self.net_, best = train_net(
            {"module_params": module_params, "criterion": self._criterion, "device": self.device_},
            encoder_weights,
            train,
            valid,
            {**self.get_params(deep=False), "batch_seed": batch_seed},
            type(self).__name__,
        )
        epochs = self.net_.history[: best.n_epochs_]
        self.loss_curve_ = [float(epoch["train_loss"]) for epoch in epochs]
        self.validation_scores_ = (
            [float(epoch["valid_loss"]) for epoch in epochs] if valid else None
        )
        self.best_epoch_ = best.best_epoch_
        self.n_iter_ = best.n_epochs_
        self.n_parameters_ = sum(p.numel() for p in self.net_.module_.parameters())
        if self.n_iter_ < self.max_epochs and not best.stopped_:
            warnings.warn(
                f"Training was interrupted after {self.n_iter_} of {self.max_epochs} epochs; the "
                f"weights of epoch {self.best_epoch_} are kept.",
                stacklevel=3,
            )

    def _weigh_rows(self, y, weights):
        return weights

    def _split_rows(self, rows, y, seed):
        """Rows for training and rows for validation, disjoint."""
        if self.validation_fraction == 0:
            return rows, rows[:0]
        n_valid = max(1, round(self.validation_fraction * len(rows)))
        if n_valid >= len(rows):
            raise ValueError(
                f"n_samples={len(rows)} is too few to take validation_fraction="
                f"{self.validation_fraction} out of it: pass more rows, or "
                "validation_fraction=0."
            )
        valid = self._validation_rows(rows, y, n_valid, np.random.RandomState(seed))
        return np.setdiff1d(rows, valid), np.sort(valid)

    def _validation_rows(self, rows, y, n_valid, rng):
        return rng.permutation(rows)[:n_valid]

    def _tokenize(self, strings):
        token_ids = self.tokenizer_.encode_batch(strings)
        return check_lengths(token_ids, self.encoder_config_.max_positions, self.on_too_long)

    def _raw_outputs(self, X):
        """Outputs of the net, shape (n_samples, n_outputs), float32.

        In batches of their own, so that neither the order of the rows nor ``batch_size`` matters.
        """
        check_is_fitted(self)
        strings = check_strings(X, type(self).__name__)
        token_ids = self._tokenize(strings)
        dataset, rows = distinct_strings(strings, token_ids, self.encoder_config_.pad_id)
        batches = tqdm(
            self.net_.forward_iter(dataset),
            total=len(self.net_.get_iterator(dataset)),
            desc=f"{type(self).__name__}.predict",
            disable=not self.verbose,
        )
        outputs = np.concatenate([batch.numpy() for batch in batches])
        return outputs[rows]

    def save_pretrained(self, directory):
        """Write the fitted estimator as safetensors and JSON, without any pickle.

        Parameters
        ----------
        directory : str or path-like
            Made if needed.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If a parameter cannot be written as JSON.
        """
        check_is_fitted(self)
        save_estimator(self, directory)

    @classmethod
    def from_pretrained(cls, directory):
        """Read what `save_pretrained` wrote; it predicts the same numbers.

        Parameters
        ----------
        directory : str or path-like

        Returns
        -------
        estimator
            Fitted, on the device that its ``device`` parameter means on this machine.

        Raises
        ------
        ValueError
            If the folder holds no estimator of this class, or a damaged one.
        """
        return load_estimator(cls, directory)

    def _restore_net(self, exported):
        """Put the net back, on this machine's device."""
        self.device_ = device_or_cpu(self.device)
        self.net_ = restore_net(exported, self.device_)

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "net_" in state:
            state["net_"] = export_net(self.net_)
            state["_versions"] = versions()
        return state

    def __setstate__(self, state):
        state = dict(state)
        exported = state.pop("net_", None)
        saved_by = state.pop("_versions", None)
        super().__setstate__(state)
        if exported is None:
            return
        if saved_by["state"] != STATE_VERSION:
            raise ValueError(f"This {type(self).__name__} was pickled by versions {saved_by}.")
        self._restore_net(exported)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())
