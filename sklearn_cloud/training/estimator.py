"""The one `fit` of every estimator that trains a network."""

import warnings
from dataclasses import field
from numbers import Integral, Real
from typing import dataclass_transform

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from .._compat import Interval, StrOptions
from ..notebook import NotebookSummary
from .checks import check_weights
from .data import InputDataset, sorted_dataset
from .devices import choose_device, device_or_cpu
from .net import export_net, local_seed, restore_net, train_net
from .parameters import make_parameters
from .state import upgrade, versions

SEED_LIMIT = np.iinfo(np.int32).max


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
class NetEstimator(NotebookSummary, BaseEstimator):
    """Base of the estimators that train a network.

    A subclass says what the network reads and which network it is:

    - `_check_rows`: the rows of X as a list or array, or an error that names the row.
    - `_load`: what is needed before rows can be read; returns weights to start from, or None.
    - `_read`: rows to `Inputs`.
    - `_size`: size of an input; batches contain inputs of similar size.
    - `_collate`: a list of inputs to a dictionary of tensors, the arguments of the module's
      `forward`, which returns a tensor of shape (n_rows, n_outputs).
    - `_augment`: a training input as it is seen in one epoch.
    - `_fit_inputs`: what is learned of the inputs, from the training rows only.
    - `_module`: class of the network, and its arguments other than ``n_outputs``.

    What it learns is a matter of `_new_targets`; see `NetRegressor` and `NetClassifier`. The
    rows of a batch must not take notice of each other when the module predicts.

    Its parameters are fields of the class, see `parameters`.
    """

    max_epochs: int = 100
    learning_rate: float = 5e-4
    batch_size: int = 32
    weight_decay: float = 0.01
    validation_fraction: float = 0.1
    patience: int | None = None
    device: str | torch.device | None = None
    precision: str = "fp32"
    random_state: int | np.random.RandomState | None = None
    verbose: int = 0

    _parameter_constraints = {
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device, None],
        "precision": [StrOptions({"fp32", "bf16", "auto"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    #: Settings of the training that are not parameters, unless a subclass makes them such.
    _fixed_settings = {"warmup_ratio": 0.1, "freeze_epochs": 0, "callbacks": None}

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        make_parameters(cls)

    def _check_rows(self, X):
        raise NotImplementedError

    def _load(self):
        return None

    def _read(self, rows):
        raise NotImplementedError

    def _size(self, one):
        raise NotImplementedError

    def _collate(self, batch):
        raise NotImplementedError

    def _augment(self, one, rng):
        return one

    def _module(self):
        raise NotImplementedError

    def _fit_inputs(self, rows, train):
        """Learn what the inputs need from the training rows: nothing, unless overridden."""

    def _align(self, rows):
        """Rows to predict, checked against those of the fit: unchanged, unless overridden."""
        return rows

    def _parts(self, rows):
        """Yield parts of the rows to predict one after the other: all at once, unless overridden.

        Each part is a pair of the places of its rows and these rows.
        """
        yield slice(None), rows

    def _new_targets(self):
        raise NotImplementedError

    def _n_epochs(self, n_rows):
        """Return the number of epochs for this many training rows."""
        return self.max_epochs

    def fit(self, X, y, sample_weight=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples,)
            Crystals; for `CloudRegressor` and `CloudClassifier` symmetry strings, or a table of
            strings and numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets: numbers, or the labels of a classifier. Where there are several numbers, NaN
            is a value that is not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss; None weighs all alike.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        TypeError
            If a row of ``X`` is not what the estimator reads.
        ValueError
            If a parameter, a row or a target cannot be used; the message names the row.
        """
        self._validate_params()
        rows = self._check_rows(X)
        # Should this fit fail, no earlier network is left behind with the scales of this one.
        vars(self).pop("net_", None)
        targets = self._new_targets()
        y = targets.check(y, len(rows), type(self).__name__)
        weights = targets.weigh(y, check_weights(sample_weight, len(rows)))
        self.device_ = choose_device(self.device)
        start = self._load()
        inputs = self._read(rows)
        rng = check_random_state(self.random_state)
        split_seed, torch_seed, batch_seed, data_seed = (rng.randint(SEED_LIMIT) for _ in range(4))
        # A row without weight is as good as absent, in the statistics of the targets too.
        train, valid = self._split_rows(np.flatnonzero(weights), y, targets, split_seed)
        self._fit_inputs(rows, train)
        numbers = targets.fit(y, train)
        self.targets_, self.n_outputs_ = targets, targets.n_outputs
        self.n_samples_fit_ = len(rows)

        def dataset(rows, seed):
            chosen = [inputs.distinct[i] for i in inputs.places[rows]]
            return InputDataset(chosen, self, numbers[rows], weights[rows], seed)

        with local_seed(torch_seed, self.device_):
            held_out = dataset(valid, None) if len(valid) else None
            self._train(start, dataset(train, data_seed), held_out, batch_seed)
        return self

    def _split_rows(self, rows, y, targets, seed):
        """Rows for training and rows for validation, disjoint."""
        if self.validation_fraction == 0:
            return rows, rows[:0]
        n_valid = max(1, round(self.validation_fraction * len(rows)))
        if n_valid >= len(rows):
            raise ValueError(
                f"n_samples={len(rows)} is too small for validation_fraction="
                f"{self.validation_fraction}: pass more rows, or "
                "validation_fraction=0."
            )
        valid = targets.validation_rows(rows, y, n_valid, np.random.RandomState(seed))
        return np.setdiff1d(rows, valid), np.sort(valid)

    def _train(self, start, train, valid, batch_seed):
        module, module_params = self._module()
        n_epochs = self._n_epochs(len(train))
        settings = {**self._fixed_settings, **self.get_params(deep=False)}
        self.net_, best, stopped, pressed = train_net(
            {
                "module": module,
                "module_params": {**module_params, "n_outputs": self.n_outputs_},
                "criterion": self.targets_.loss,
                "device": self.device_,
            },
            start,
            train,
            valid,
            {**settings, "max_epochs": n_epochs, "batch_seed": batch_seed},
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
        if not pressed and (self.n_iter_ == n_epochs or stopped):
            return
        message = (
            f"Training was interrupted after {self.n_iter_} of {n_epochs} epochs; the "
            f"weights of epoch {self.best_epoch_} were kept."
        )
        if pressed or len(self.net_.history) > self.n_iter_:
            # Ctrl-C, or an epoch that ended in its middle: what this fit is part of ends as well
            raise KeyboardInterrupt(message)
        warnings.warn(message, stacklevel=3)

    def _summary(self):
        rows = getattr(self, "n_samples_fit_", None)  # models saved by earlier versions lack it
        summary = {} if rows is None else {"fitted on": f"{rows} rows"}
        if hasattr(self, "classes_"):
            summary["predicts"] = f"classes: {', '.join(map(str, self.classes_[:8]))}"
        else:
            summary["predicts"] = f"{self.n_outputs_} number{'s' * (self.n_outputs_ > 1)} per row"
        if hasattr(self, "encoder"):
            summary["encoder"] = "none (random weights)" if self.encoder is None else self.encoder
        summary["epochs"] = f"{self.n_iter_}, weights of epoch {self.best_epoch_}"
        summary["weights"] = f"{self.n_parameters_:,} on {self.device_}"
        return summary | {"expected error": "not known: use cross-validation, or CrystalRegressor"}

    def _outputs(self, X):
        """Outputs of the net for every row, shape (n_rows, n_outputs), float32.

        In batches of their own, so that neither the order of the rows nor ``batch_size`` matters.
        """
        check_is_fitted(self)
        rows = self._align(self._check_rows(X))
        try:
            found = [(places, self._outputs_of(part)) for places, part in self._parts(rows)]
        except (TypeError, ValueError):
            self._read(rows)  # the error names the row, which is that of X only here
            raise
        outputs = np.empty((len(rows), found[0][1].shape[1]), dtype=np.float32)
        for places, part in found:
            outputs[places] = part
        return outputs

    def _outputs_of(self, rows):
        dataset, places = sorted_dataset(self._read(rows), self)
        batches = tqdm(
            self.net_.forward_iter(dataset),
            total=len(self.net_.get_iterator(dataset)),
            desc=f"{type(self).__name__}.predict",
            disable=not self.verbose,
        )
        return np.concatenate([batch.numpy() for batch in batches])[places]

    def _restore_net(self, exported):
        """Put the net back, on this machine's device."""
        self.device_ = device_or_cpu(self.device)
        module, arguments = self._module()
        classes = {name: value for name, value in arguments.items() if isinstance(value, type)}
        arguments = {**exported["module_params"], **classes}
        self.net_ = restore_net(module, {**exported, "module_params": arguments}, self.device_)

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
        if exported is not None:
            upgrade(state, saved_by, type(self).__name__)
        super().__setstate__(state)
        if exported is not None:
            self._restore_net(exported)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")
