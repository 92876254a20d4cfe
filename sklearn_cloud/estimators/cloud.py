"""What the supervised estimators on symmetry strings share."""

from dataclasses import replace
from numbers import Integral, Real

from .._compat import Interval, StrOptions
from ..encoder.checkpoints import load_encoder
from ..encoder.model import CloudModule
from ..exceptions import ModelFolderError
from ..training.devices import choose_bf16
from ..training.estimator import NetEstimator
from .folders import load_model, save_model
from .strings import StringInput


class CloudEstimator(StringInput, NetEstimator):
    """Base of the estimators on strings: an encoder and a head, trained together."""

    _parameter_constraints = {
        **NetEstimator._parameter_constraints,
        "encoder": "no_validation",
        "head_layers": [Interval(Integral, 1, None, closed="left")],
        "head_width": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "warmup_ratio": [Interval(Real, 0, 1, closed="both")],
        "freeze_epochs": [Interval(Integral, 0, None, closed="left")],
        "on_too_long": [StrOptions({"raise", "truncate"})],
        "precision": [StrOptions({"auto", "fp32", "bf16"})],
        "callbacks": [list, tuple, None],
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
        callbacks=None,
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
        self.callbacks = callbacks
        self.on_too_long = on_too_long
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

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
        }

    def save_pretrained(self, directory):
        """Write the fitted estimator into a folder, as `save_model` does.

        Parameters
        ----------
        directory : str or path-like
            Made if needed; an earlier model in it is replaced.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If a parameter cannot be written without pickle, such as a callback.
        """
        save_model(self, directory)

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
        ModelFolderError
            If the folder contains no estimator of this class, or a damaged one.
        """
        estimator = load_model(directory)
        if type(estimator) is not cls:
            raise ModelFolderError(
                f"{directory} contains a {type(estimator).__name__}, not a {cls.__name__}."
            )
        return estimator
