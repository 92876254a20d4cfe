"""Base class of the supervised estimators for symmetry strings."""

from dataclasses import field, replace
from numbers import Integral, Real
from os import PathLike

import numpy as np

from .._compat import Interval, StrOptions
from ..encoder.checkpoints import load_encoder
from ..encoder.config import EncoderConfig
from ..encoder.model import CloudModule
from ..exceptions import ModelFolderError
from ..training.devices import choose_bf16
from ..training.estimator import NetEstimator
from .folders import load_model, save_model
from .string_input import StringInput

_MOST_EPOCHS, _FEWEST_EPOCHS = 50, 2
_STEPS = 8_000  # about ten minutes of a laptop's core for "mini" and batches of 32


def affordable_epochs(n_rows, batch_size, most_epochs=_MOST_EPOCHS, n_steps=_STEPS):
    """Return the most epochs, or as many as the steps allow for larger tables, but at least 2."""
    return int(np.clip(n_steps * batch_size // n_rows, _FEWEST_EPOCHS, most_epochs))


class CloudEstimator(StringInput, NetEstimator):
    """Base class of the estimators for strings: an encoder and a head, trained together."""

    encoder: str | PathLike | EncoderConfig | None = field(default="mini", kw_only=False)
    head_layers: int = 1
    head_width: int | None = None
    dropout: float = 0.1
    warmup_ratio: float = 0.1
    freeze_epochs: int = 0
    layer_decay: float = 1.0
    number_dropout: float = 0.0
    callbacks: list | None = None
    on_too_long: str = "raise"
    max_epochs = "auto"
    precision = "auto"

    _parameter_constraints = {
        "encoder": "no_validation",
        "max_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "head_layers": [Interval(Integral, 1, None, closed="left")],
        "head_width": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "warmup_ratio": [Interval(Real, 0, 1, closed="both")],
        "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
        "layer_decay": [Interval(Real, 0, 1, closed="right")],
        "number_dropout": [Interval(Real, 0, 1, closed="left")],
        "on_too_long": [StrOptions({"raise", "truncate"})],
        "callbacks": [list, tuple, None],
    }

    def _n_epochs(self, n_rows):
        if self.max_epochs == "auto":
            return affordable_epochs(n_rows, self.batch_size)
        return self.max_epochs

    def _load(self):
        checkpoint = load_encoder(self.encoder)
        self.tokenizer_ = checkpoint.tokenizer
        self.encoder_config_ = replace(checkpoint.config, dropout=float(self.dropout))
        return checkpoint.weights

    def _module(self):
        return CloudModule, {
            "config": self.encoder_config_,
            "head_layers": self.head_layers,
            "head_width": self.head_width,
            "bf16": choose_bf16(self.precision, self.device_),
            "n_numbers": len(self.number_means_),
            "number_token": len(self.number_means_) > 0,
        }

    def _restore_net(self, exported):
        means, scales = self.number_means_, self.number_scales_
        if not (np.isfinite(means).all() and np.isfinite(scales).all() and (scales > 0).all()):
            raise ValueError("the means or scales of the numbers next to the strings are invalid")
        super()._restore_net(exported)

    def save_pretrained(self, directory):
        """Save the fitted estimator in a folder, as `save_model` does.

        Parameters
        ----------
        directory : str or path-like
            Created if needed; an earlier model in it is replaced.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If a parameter cannot be saved without pickle, such as a callback.
        """
        save_model(self, directory)

    @classmethod
    def from_pretrained(cls, directory):
        """Load an estimator saved by `save_pretrained`; its predictions are the same.

        Parameters
        ----------
        directory : str or path-like

        Returns
        -------
        estimator
            The fitted estimator, on the device given by its ``device`` parameter.

        Raises
        ------
        ModelFolderError
            If the folder contains no estimator of this class, or a damaged one.
        """
        estimator = load_model(directory)
        if type(estimator) is not cls:
            raise ModelFolderError(
                f"{directory} contains a {type(estimator).__name__}, not a {cls.__name__}."
            )
        return estimator
