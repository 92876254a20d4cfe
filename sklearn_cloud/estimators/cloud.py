"""What the supervised estimators on symmetry strings share."""

from dataclasses import replace
from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..encoder.checkpoints import load_encoder
from ..encoder.devices import choose_bf16, choose_device
from ..encoder.model import CloudModule
from .base import NetEstimator
from .batches import TokenDataset, distinct_strings
from .checks import accept_strings, check_lengths, check_strings, check_weights
from .persistence import load_estimator, save_estimator


class CloudEstimator(NetEstimator):
    """Base of the estimators on strings: an encoder and a head, trained together.

    A subclass says what the targets are, as for `NetEstimator`, and has a ``predict`` on top of
    `_raw_outputs`. It may weigh the rows by their targets in `_weigh_rows`.
    """

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

        def dataset(rows, targets, weights, seed):
            pad_id = self.encoder_config_.pad_id
            return TokenDataset([token_ids[i] for i in rows], targets, weights, pad_id)

        self._fit_net(dataset, y, weights, device, checkpoint.weights)
        return self

    def _module(self):
        return CloudModule, {
            "config": self.encoder_config_,
            "head_layers": self.head_layers,
            "head_width": self.head_width,
            "bf16": choose_bf16(self.precision, self.device_),
        }

    def _weigh_rows(self, y, weights):
        return weights

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
        return self._outputs(dataset)[rows]

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

    def __sklearn_tags__(self):
        return accept_strings(super().__sklearn_tags__())
