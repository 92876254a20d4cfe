"""What every estimator with a trained network inside shares."""

import warnings
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from tqdm.auto import tqdm

from ..encoder.devices import device_or_cpu
from .net import export_net, local_seed, restore_net, train_net
from .persistence import STATE_VERSION, versions

SEED_LIMIT = np.iinfo(np.int32).max


class NetEstimator(BaseEstimator):
    """Base of the estimators that train a network: rows to train on, schedule, seeds, pickling.

    A subclass says what the targets are: `_check_targets` (before the validation rows are taken
    out), `_fit_targets` (numbers for the loss, from statistics of the training rows only), and
    the class of its loss in ``_criterion``. Its ``fit`` ends in `_fit_net`, its ``predict`` begins
    with `_outputs`, and `_module` says what network it is. It may choose the validation rows by
    their targets in `_validation_rows`.
    """

    _parameter_constraints = {
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    #: Settings of the training that are no parameters, unless a subclass makes them such.
    _fixed_settings = {"warmup_ratio": 0.1, "freeze_epochs": 0, "callbacks": None}

    def _module(self):
        """Class of the network, and its arguments other than ``n_outputs``."""
        raise NotImplementedError

    def _fit_net(self, make_dataset, y, weights, device, encoder_weights=None):
        """Split the rows, scale the targets and train.

        ``make_dataset(rows, targets, weights, seed)`` is the data of some of the rows; ``seed``
        is for what is random in training data, and None for the validation rows.
        """
        rng = check_random_state(self.random_state)
        split_seed, torch_seed, batch_seed, data_seed = (rng.randint(SEED_LIMIT) for _ in range(4))
        # A row without weight is as good as absent, in the statistics of the targets too.
        train, valid = self._split_rows(np.flatnonzero(weights), y, split_seed)
        targets = self._fit_targets(y, train)
        datasets = [
            make_dataset(rows, targets[rows], weights[rows], seed) if len(rows) else None
            for rows, seed in ((train, data_seed), (valid, None))
        ]
        self.device_ = device
        with local_seed(torch_seed, device):
            self._train(encoder_weights, *datasets, batch_seed)

    def _train(self, encoder_weights, train, valid, batch_seed):
        module, module_params = self._module()
        self.net_, best = train_net(
            {
                "module": module,
                "module_params": {**module_params, "n_outputs": self.n_outputs_},
                "criterion": self._criterion,
                "device": self.device_,
            },
            encoder_weights,
            train,
            valid,
            {**self._fixed_settings, **self.get_params(deep=False), "batch_seed": batch_seed},
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
                stacklevel=4,
            )

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

    def _outputs(self, dataset):
        """Outputs of the net, shape (n_rows, n_outputs), float32."""
        batches = tqdm(
            self.net_.forward_iter(dataset),
            total=len(self.net_.get_iterator(dataset)),
            desc=f"{type(self).__name__}.predict",
            disable=not self.verbose,
        )
        return np.concatenate([batch.numpy() for batch in batches])

    def _restore_net(self, exported):
        """Put the net back, on this machine's device."""
        self.device_ = device_or_cpu(self.device)
        self.net_ = restore_net(self._module()[0], exported, self.device_)

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
