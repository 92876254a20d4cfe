"""CloudClassifier: symmetry strings in, labels and probabilities out."""

from .._compat import StrOptions
from ..training.estimator import NetClassifier
from .cloud import CloudEstimator


class CloudClassifier(NetClassifier, CloudEstimator):
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
