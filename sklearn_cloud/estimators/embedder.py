"""CloudEmbedder: transform symmetry strings to vectors of the pre-trained encoder."""

from numbers import Integral

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from tqdm.auto import tqdm

from .._compat import Interval, StrOptions
from ..encoder.checkpoints import Checkpoint, load_encoder
from ..encoder.model import cls_vectors, mean_vectors
from ..notebook import NotebookSummary
from ..training.data import PaddedBatches, sorted_dataset
from ..training.devices import choose_device, device_or_cpu
from ..training.net import local_seed
from ..training.state import upgrade, versions
from .string_input import StringInput

POOLING = {"cls": cls_vectors, "mean": mean_vectors}


class CloudEmbedder(
    NotebookSummary, StringInput, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Transform symmetry strings to fixed vectors with a pre-trained BERT encoder.

    Nothing is trained and no target is needed: the encoder learned from unlabelled crystals. Use
    the vectors for ridge regression, a Gaussian process or clustering.

    Parameters
    ----------
    encoder : str, path-like or EncoderConfig, default="mini"
        A string names a pre-trained checkpoint: bundled with the package ("mini": 4 layers of
        width 128; "small": 6 layers of width 256), a local folder, or an id on the Hugging Face
        Hub; checkpoints of the original implementation can be read too. An `EncoderConfig` gives
        random weights, always the same ones, as a baseline for the benefit of pre-training.
    pooling : {"cls", "mean"}, default="cls"
        The vector of a string: that of its [CLS] token, the input of the prediction head in the
        paper, or the mean over all its tokens.
    batch_size : int, default=64
        Number of distinct strings per batch.
    on_too_long : {"raise", "truncate"}, default="raise"
        How to handle strings with more tokens than the encoder has positions.
    device : str or torch.device, default=None
        Device to compute on; None uses CUDA if available, else the CPU.
    verbose : int, default=0
        If not 0, show a progress bar.

    Attributes
    ----------
    encoder_ : transformers.BertModel
        The encoder.
    encoder_config_ : EncoderConfig
        Shape of the encoder; the vectors have ``encoder_config_.width`` numbers.
    tokenizer_ : SymmetryTokenizer or OriginalTokenizer
        Vocabulary of the encoder.
    device_ : str
        Device of the encoder.

    See Also
    --------
    sklearn_cloud.SymmetryStringTransformer : Transform crystals to symmetry strings.
    CloudRegressor : Fine-tune the encoder for a property.

    Notes
    -----
    Equal strings are computed once and get equal vectors, in any order of the rows. `batch_size`
    and the other strings in a batch change a vector only by rounding (1e-6).

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_cloud import CloudEmbedder
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5", "8a | Si 1.0"]
    >>> embedder = CloudEmbedder(pooling="mean")
    >>> embedder.fit_transform(strings).shape
    (3, 128)
    >>> make_pipeline(embedder, Ridge()).fit(strings, [8.5, 3.6, 1.1]).predict(strings).shape
    (3,)
    """

    _parameter_constraints = {
        "encoder": "no_validation",
        "pooling": [StrOptions(set(POOLING))],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "on_too_long": [StrOptions({"raise", "truncate"})],
        "device": [str, torch.device, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        encoder="mini",
        *,
        pooling="cls",
        batch_size=64,
        on_too_long="raise",
        device=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.pooling = pooling
        self.batch_size = batch_size
        self.on_too_long = on_too_long
        self.device = device
        self.verbose = verbose

    def fit(self, X, y=None):
        """Load the encoder.

        Parameters
        ----------
        X : array-like of str, shape (n_samples,) or (n_samples, 1)
            Symmetry strings; nothing is learned from them.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        TypeError
            If a row of ``X`` is not a string.
        ValueError
            If a parameter is invalid or there is no pre-trained encoder.
        """
        self._validate_params()
        table = self._check_rows(X)
        device = choose_device(self.device)
        if self.encoder is None:
            raise ValueError(
                "encoder must be a checkpoint, or an EncoderConfig for random weights of that "
                "shape; got None."
            )
        self._set_encoder(load_encoder(self.encoder), device)
        self._n_features_out = self.encoder_config_.width + table.numbers.shape[1]
        return self

    def _set_encoder(self, checkpoint, device):
        self.tokenizer_, self.encoder_config_ = checkpoint.tokenizer, checkpoint.config
        self.device_ = device
        with local_seed(0, device):
            self.encoder_ = checkpoint.build().to(device).eval()

    def transform(self, X):
        """Return the vectors of symmetry strings.

        Parameters
        ----------
        X : array-like of str, shape (n_samples,) or (n_samples, 1)
            Symmetry strings.

        Returns
        -------
        ndarray of shape (n_samples, width), float32

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the transformer is not fitted.
        TypeError
            If a row of ``X`` is not a string.
        ValueError
            If a string has unknown tokens, or too many tokens.
        """
        check_is_fitted(self)
        table = self._check_rows(X)
        dataset, rows = sorted_dataset(self._read(table), self)
        batches = tqdm(
            PaddedBatches(dataset, self.batch_size),
            desc=f"{type(self).__name__}.transform",
            disable=not self.verbose,
        )
        vectors = np.concatenate([self._vectors(**batch.tensors) for batch, _ in batches])[rows]
        return np.hstack([vectors, table.numbers.astype(vectors.dtype)])

    @torch.inference_mode()
    def _vectors(self, input_ids):
        pool = POOLING[self.pooling]
        vectors = pool(self.encoder_, input_ids, input_ids != self.encoder_config_.pad_id)
        return vectors.float().cpu().numpy()

    def __getstate__(self):
        state = dict(super().__getstate__())
        if "encoder_" in state:
            weights = self.encoder_.state_dict()
            state["encoder_"] = {k: v.cpu().numpy() for k, v in weights.items()}
            state["_versions"] = versions()
        return state

    def __setstate__(self, state):
        state = dict(state)
        arrays = state.pop("encoder_", None)
        saved_by = state.pop("_versions", None)
        if arrays is not None:
            upgrade(state, saved_by, type(self).__name__)
        super().__setstate__(state)
        if arrays is None:
            return
        weights = {name: torch.tensor(array) for name, array in arrays.items()}
        checkpoint = Checkpoint(self.encoder_config_, self.tokenizer_, weights)
        self._set_encoder(checkpoint, device_or_cpu(self.device))

    def __sklearn_is_fitted__(self):
        return hasattr(self, "encoder_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
