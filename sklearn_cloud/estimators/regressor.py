"""CloudRegressor: symmetry strings in, numbers out."""

from ..training.estimator import NetRegressor
from .cloud import CloudEstimator


class CloudRegressor(NetRegressor, CloudEstimator):
    """Predict numbers from symmetry strings with a fine-tuned BERT encoder.

    The [CLS] vector of the encoder goes through a multi-layer perceptron with SiLU. Both are
    trained together on the mean absolute error of the standardised target with AdamW, the
    learning rate rising linearly and then falling to zero along a cosine. Part of the rows is
    held out for validation, and the weights of the epoch that does best on them are kept.

    Parameters
    ----------
    encoder : str, path-like, EncoderConfig or None, default="mini"
        What training starts from. A string names a pre-trained checkpoint: bundled with the
        package ("mini": 4 layers, 128 wide; "small": 6, 256), a local folder, or an id on the
        Hugging Face hub; checkpoints of the original implementation can be read too. An
        `EncoderConfig` is an encoder of that shape with random weights, None one of the shape of
        "mini".
    head_layers : int, default=1
        Hidden layers of the head; the paper uses 1 to 3.
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
        Seed of the initial weights, dropout, batches and validation rows. PyTorch's global
        random numbers are left alone.
    verbose : int, default=0
        Above 0 shows progress bars.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; `net_.module_` is the PyTorch module. After unpickling it has no history.
    loss_curve_ : list of float
        Training loss of every epoch: mean absolute error in units of `target_scale_`.
    validation_scores_ : list of float or None
        The same on the validation rows; None without validation.
    best_epoch_ : int
        Epoch whose weights are kept, counted from 1.
    n_iter_ : int
        Epochs that were trained.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the targets over the training rows.
    n_outputs_ : int
        Number of targets.
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
    sklearn_cloud.SymmetryStringTransformer : Makes the strings from crystals.

    Notes
    -----
    A prediction does not depend on the order of the rows or on `batch_size`; which other strings
    are predicted along with it moves it by rounding only (about 1e-6 of `target_scale_`).
    A `KeyboardInterrupt` ends the training early and keeps the best epoch so far, with a warning.

    Architecture and training follow section 3.2 and Table 4 of [1]_.

    References
    ----------
    .. [1] C. Xu, S. Zhu, V. Viswanathan, "CLOUD: A Scalable Scientific Foundation Model for
       Crystal Representation Learning".

    Examples
    --------
    >>> from sklearn_cloud import CloudRegressor
    >>> from sklearn_cloud.encoder import EncoderConfig
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 4
    >>> model = CloudRegressor(EncoderConfig(n_layers=1, width=32), max_epochs=2, random_state=0)
    >>> model.fit(strings, [8.5, 3.6, 1.1] * 4).predict(strings).shape
    (12,)
    """
