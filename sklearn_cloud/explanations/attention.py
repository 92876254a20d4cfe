"""attention_map: attention between the tokens of a crystal's string."""

from typing import NamedTuple

import numpy as np
import torch

from ..encoder.attention_weights import attention_rollout, attention_weights
from ..estimators import CloudClassifier, CloudEmbedder, CloudRegressor
from ..estimators.pipelines import last_step, read_row
from ..estimators.vectors import describe_numbers
from .tokens import NUMBERS, SPECIAL, name_tokens


class AttentionMap(NamedTuple):
    """Attention within one string.

    Attributes
    ----------
    string : str
        The symmetry string.
    tokens : tuple of str
        Its tokens, from ``[CLS]`` to ``[SEP]``. In a model with numbers next to the string, the
        second one is ``[numbers]``.
    parts : tuple of str
        Part of the string of each token: "generator", "sites", "composition" or "special".
    weights : ndarray of shape (n_layers, n_heads, n_tokens, n_tokens)
        Weight with which the token of the row attends to that of the column.

    Examples
    --------
    >>> from sklearn_cloud import CloudEmbedder
    >>> from sklearn_cloud.explanations import attention_map
    >>> attention = attention_map(CloudEmbedder().fit(["8a | Si 1.0"]), "8a | Si 1.0")
    >>> attention.parts[:4]
    ('special', 'sites', 'special', 'composition')
    """

    string: str
    tokens: tuple
    parts: tuple
    weights: np.ndarray

    def select(self, layer=None, head=None):
        """Select one matrix of weights.

        Parameters
        ----------
        layer : int, default=None
            A layer, from 0; None gives the rollout over all layers, see
            `encoder.attention_weights.attention_rollout`.
        head : int, default=None
            A head of the layer, from 0; None gives the mean of its heads.

        Returns
        -------
        ndarray of shape (n_tokens, n_tokens)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If there is no such layer or head, or a head is given without a layer.
        """
        if layer is None:
            if head is not None:
                raise ValueError("head needs a layer: the rollout mixes all heads")
            return attention_rollout(self.weights)
        for name, index, size in zip(("layer", "head"), (layer, head), self.weights.shape):
            if index is not None and not -size <= index < size:
                raise ValueError(f"{name} must be an integer from 0 to {size - 1}, got {index}")
        heads = self.weights[layer]
        return heads.mean(axis=0) if head is None else heads[head]


def attention_map(model, crystal):
    """Return the attention weights of an encoder on one crystal.

    Parameters
    ----------
    model : estimator or Pipeline
        A fitted `CloudRegressor`, `CloudClassifier` (attention after fine-tuning) or
        `CloudEmbedder` (of the pre-trained encoder), or a pipeline that ends in one.
    crystal : str or crystal
        A symmetry string, or any input of a pipeline.

    Returns
    -------
    AttentionMap

    Raises
    ------
    TypeError, ValueError
        If ``model`` has another type or cannot read the crystal.
    sklearn.exceptions.NotFittedError
        If ``model`` is not fitted.

    Notes
    -----
    Attention shows where information is read from, not whether it changes a prediction: use
    `explain_prediction` for that.

    Examples
    --------
    >>> from sklearn_cloud import CloudEmbedder
    >>> from sklearn_cloud.explanations import attention_map
    >>> embedder = CloudEmbedder().fit(["8a | Si 1.0"])
    >>> attention_map(embedder, "8a | Si 1.0").weights.shape
    (4, 4, 6, 6)
    """
    estimator = last_step(model, (CloudRegressor, CloudClassifier, CloudEmbedder))
    string, numbers = read_row(model, crystal)
    (ids,) = estimator._tokenize([string])
    encoder = encoder_of(estimator).eval()
    input_ids = torch.tensor([ids], device=estimator.device_)
    token = _number_token(estimator, numbers)
    weights = attention_weights(encoder, input_ids, torch.ones_like(input_ids), token)
    tokens, parts = name_tokens(estimator.tokenizer_, ids)
    if token is not None:
        tokens, parts = (tokens[0], NUMBERS, *tokens[1:]), (parts[0], SPECIAL, *parts[1:])
    return AttentionMap(string, tokens, parts, weights[:, 0].cpu().numpy())


def _number_token(estimator, numbers):
    """Return the token of the numbers next to the string, None if there is none."""
    if isinstance(estimator, CloudEmbedder):
        return None
    with torch.inference_mode():
        return estimator.net_.module_.token(describe_numbers(estimator, numbers))


def encoder_of(estimator):
    """Return the encoder of a fitted estimator."""
    if isinstance(estimator, CloudEmbedder):
        return estimator.encoder_
    return estimator.net_.module_.encoder
