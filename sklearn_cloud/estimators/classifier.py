"""CloudClassifier: predict classes from symmetry strings."""

from ..training.net_classifier import NetClassifier
from .cloud import CloudEstimator


class CloudClassifier(CloudEstimator, NetClassifier):
    """Predict classes from symmetry strings with a fine-tuned BERT encoder.

    As `CloudRegressor`, but the head has one output per class, and the loss is the cross-entropy.
    The rows held out for validation are stratified by class.

    Parameters
    ----------
    encoder : str, path-like, EncoderConfig or None, default="mini"
        Pre-trained encoder, as in `CloudRegressor`.
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
    CloudRegressor : Predict numbers.
    sklearn_cloud.SymmetryStringTransformer : Transform crystals to symmetry strings.

    Notes
    -----
    The probabilities are the softmax of the network and are not calibrated. With `class_weight`
    they refer to class frequencies changed by the weights.

    Examples
    --------
    >>> from sklearn_cloud import CloudClassifier
    >>> from sklearn_cloud.encoder import EncoderConfig
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"] * 8
    >>> labels = ["insulator", "semiconductor", "semiconductor"] * 8
    >>> model = CloudClassifier(
    ...     EncoderConfig(n_layers=1, width=32),
    ...     class_weight="balanced",
    ...     learning_rate=2e-3,
    ...     random_state=0,
    ... )
    >>> model.fit(strings, labels).predict(["1a 1b | Na 0.5 Cl 0.5"])
    array(['insulator'], dtype='<U13')
    >>> model.predict_proba(strings).shape
    (24, 2)
    """
