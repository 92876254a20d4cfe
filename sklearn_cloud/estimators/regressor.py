"""CloudRegressor: predict numbers from symmetry strings."""

from ..training.net_regressor import NetRegressor
from .cloud import CloudEstimator


class CloudRegressor(CloudEstimator, NetRegressor):
    """Predict numbers from symmetry strings with a fine-tuned BERT encoder.

    A multi-layer perceptron with SiLU activations predicts the target from the [CLS] vector of the
    encoder. Both are trained together on the mean absolute error of the standardised target with
    AdamW, with linear warm-up and cosine decay of the learning rate. Part of the rows is held out
    for validation, and the weights of the epoch with the lowest validation loss are kept.

    Parameters
    ----------
    encoder : str, path-like, EncoderConfig or None, default="mini"
        A string names a pre-trained checkpoint: bundled with the package ("mini": 4 layers of
        width 128; "small": 6 layers of width 256), a local folder, or an id on the Hugging Face
        Hub; checkpoints of the original implementation can be read too. An `EncoderConfig` gives
        an encoder of that shape with random weights, None one of the shape of "mini".
    {other parameters}

    Attributes
    ----------
    encoder_config_ : EncoderConfig
        Shape of the encoder.
    tokenizer_ : SymmetryTokenizer or OriginalTokenizer
        Vocabulary of the encoder.
    {other attributes}

    See Also
    --------
    sklearn_cloud.SymmetryStringTransformer : Transform crystals to symmetry strings.

    Notes
    -----
    A prediction does not depend on the order of the rows or on `batch_size`; the other strings in
    the same call change it only by rounding (about 1e-6 of `target_scale_`).
    Ctrl-C stops `fit` and its caller with `KeyboardInterrupt`; the estimator keeps the best epoch
    so far and can predict. If a callback stops the training between two epochs, `fit` returns.

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
