"""CloudClassifier: symmetry strings in, labels and probabilities out."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_class_weight
from sklearn.utils._missing import is_pandas_na
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import check_classification_targets

from .checks import check_same_length, mean_one
from .cloud import CloudEstimator
from .net import WeightedCrossEntropy


class CloudClassifier(ClassifierMixin, CloudEstimator):
    """Predict classes from symmetry strings with a fine-tuned BERT encoder.

    As `CloudRegressor`, but the head has one output per class and encoder and head are trained on
    the cross-entropy. The rows held out for validation are drawn from all classes in proportion.

    Parameters
    ----------
    encoder : str, path-like, EncoderConfig or None, default="mini"
        What training starts from, as in `CloudRegressor`.
    class_weight : dict, "balanced" or None, default=None
        Weight of the rows of each class in the loss, on top of ``sample_weight``: a dictionary
        from label to weight (1 where a label is missing), or "balanced" for weights inversely
        proportional to the number of rows. None weighs all classes alike.
    head_layers : int, default=1
        Hidden layers of the head.
    head_width : int, default=None
        Width of these layers; None is the width of the encoder.
    dropout : float, default=0.1
        Dropout of encoder and head while training.
    max_epochs : int, default=50
        Passes over the training rows.
    learning_rate : float, default=5e-4
        Highest learning rate.
    batch_size : int, default=32
        Rows per training step.
    weight_decay : float, default=0.01
        Weight decay of AdamW; biases and layer norms are spared.
    warmup_ratio : float, default=0.1
        Share of the steps in which the learning rate rises.
    freeze_epochs : int, default=0
        Number of first epochs in which only the head is trained.
    validation_fraction : float, default=0.1
        Share of the rows that is taken out of the training rows to choose the best epoch. With
        0 nothing is held out and the last epoch is kept.
    patience : int, default=None
        Stop after this many epochs without a better validation loss; None never stops early.
    callbacks : list of skorch.callbacks.Callback, default=None
        More of what skorch calls between the steps and epochs of the training, used as they
        are. Each epoch of `net.history` has "train_loss" and "valid_loss"; Optuna's
        `SkorchPruningCallback(trial, "valid_loss")` ends bad trials early.
    on_too_long : {"raise", "truncate"}, default="raise"
        What to do with strings that have more tokens than the encoder has positions.
    device : str or torch.device, default=None
        Where to compute; None is CUDA where there is one, else the CPU.
    precision : {"auto", "fp32", "bf16"}, default="auto"
        Precision of the training. "auto" is bfloat16 where the hardware multiplies in it, else
        float32. Predictions are always made in float32.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, dropout, batches and validation rows.
    verbose : int, default=0
        Above 0 shows progress bars.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    net_ : skorch.NeuralNet
        The trained net; `net_.module_` is the PyTorch module. After unpickling it has no history.
    loss_curve_ : list of float
        Training loss of every epoch: weighted cross-entropy in nats.
    validation_scores_ : list of float or None
        The same on the validation rows; None without validation.
    best_epoch_ : int
        Epoch whose weights are kept, counted from 1.
    n_iter_ : int
        Epochs that were trained.
    n_outputs_ : int
        Number of classes.
    n_parameters_ : int
        Number of trained weights.
    encoder_config_ : EncoderConfig
        Shape of the encoder.
    tokenizer_ : SymmetryTokenizer or OriginalTokenizer
        Vocabulary of the encoder.
    device_ : str
        Where the net is.

    See Also
    --------
    CloudRegressor : The same for numbers.
    sklearn_cloud.SymmetryStringTransformer : Makes the strings from crystals.

    Notes
    -----
    The probabilities are the softmax of the net and not calibrated; with `class_weight` they
    belong to classes as frequent as the weights make them.

    Examples
    --------
    >>> from sklearn_cloud import CloudClassifier
    >>> from sklearn_cloud.encoder import EncoderConfig
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 8
    >>> labels = ["insulator", "semiconductor", "semiconductor"] * 8
    >>> model = CloudClassifier(
    ...     EncoderConfig(n_layers=1, width=32), class_weight="balanced", random_state=0
    ... )
    >>> model.fit(strings, labels).predict(["1a 1b | Na 0.5 Cl 0.5"])
    array(['insulator'], dtype='<U13')
    >>> model.predict_proba(strings).shape
    (24, 2)
    """

    _criterion = WeightedCrossEntropy
    _parameter_constraints = {
        **CloudEstimator._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        encoder="mini",
        *,
        class_weight=None,
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
        super().__init__(
            encoder,
            head_layers=head_layers,
            head_width=head_width,
            dropout=dropout,
            max_epochs=max_epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            weight_decay=weight_decay,
            warmup_ratio=warmup_ratio,
            freeze_epochs=freeze_epochs,
            validation_fraction=validation_fraction,
            patience=patience,
            callbacks=callbacks,
            on_too_long=on_too_long,
            device=device,
            precision=precision,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def _check_targets(self, y, n_rows):
        y = check_labels(y, n_rows, type(self).__name__)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.n_outputs_ = len(self.classes_)
        return codes

    def _weigh_rows(self, y, weights):
        present = np.unique(y[weights > 0])
        if len(present) < 2:
            only = self.classes_[present[0]]
            zero = "" if len(self.classes_) == 1 else " where sample_weight is above zero"
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes, but the data contain "
                f"only one class{zero}: {only!r}."
            )
        if self.class_weight is None:
            return weights
        labels = self.classes_[y[weights > 0]]
        of_class = compute_class_weight(self.class_weight, classes=self.classes_[present], y=labels)
        factors = np.zeros(len(self.classes_))
        factors[present] = of_class
        return mean_one(weights * factors[y], "class_weight")

    def _validation_rows(self, rows, y, n_valid, rng):
        """Rows of every class in proportion; one of each class at least stays for training."""
        rows = rng.permutation(rows)
        codes, places = y[rows], np.empty(len(rows))
        for code in np.unique(codes):
            members = np.flatnonzero(codes == code)
            places[members] = (np.arange(len(members)) + 0.5) / len(members)
            places[members[-1]] = np.inf
        if n_valid > np.isfinite(places).sum():
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of {len(rows)} rows leaves no "
                "row of some class for training: pass more rows, or validation_fraction=0."
            )
        return rows[np.argsort(places, kind="stable")[:n_valid]]

    def _fit_targets(self, y, train):
        return y

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of str, shape (n_samples,) or (n_samples, 1)
            Symmetry strings.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of ``classes_``; rows add up to 1.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If a row of ``X`` is not a string.
        ValueError
            If a string has unknown tokens or too many.
        """
        logits = self._raw_outputs(X).astype(np.float64)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Most probable class.

        Parameters
        ----------
        X : array-like of str, shape (n_samples,) or (n_samples, 1)
            Symmetry strings.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        sklearn.exceptions.NotFittedError, TypeError, ValueError
            As `predict_proba`.
        """
        logits = self._raw_outputs(X)
        return self.classes_[logits.argmax(axis=1)]


def check_labels(y, n_rows, name="CloudClassifier"):
    """Labels as a one-dimensional array, one per row, none missing.

    Raises
    ------
    ValueError
        If ``y`` is missing, not one column of classes, of another length, or has a missing label
        (naming the row).
    """
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    y = column_or_1d(y, warn=True)
    check_same_length(y, n_rows, "y")
    missing = [
        row for row, label in enumerate(y) if label is None or is_pandas_na(label) or label != label
    ]
    if missing:
        raise ValueError(
            f"Input y contains NaN in row {missing[0]} ({len(missing)} rows in all): leave the "
            "rows without a label out."
        )
    check_classification_targets(y)
    return y
