"""Attention weights between the tokens of a string."""

import math

import numpy as np
import torch

from .model import embed_tokens


@torch.inference_mode()
def attention_weights(encoder, input_ids, attention_mask, token=None):
    """Return the attention weights of all layers and heads, without dropout.

    The fused attention of the encoder does not return its weights, so they are computed from its
    queries and keys, layer by layer. The encoder is not changed.

    Parameters
    ----------
    encoder : transformers.BertModel
        In evaluation mode.
    input_ids : tensor of shape (n_strings, n_tokens)
    attention_mask : tensor of shape (n_strings, n_tokens)
        True or 1 for tokens, False or 0 for padding.
    token : tensor of shape (n_strings, width), default=None
        One more token of each string, which follows [CLS] and has no position.

    Returns
    -------
    tensor of shape (n_layers, n_strings, n_heads, n_tokens, n_tokens)
        The last axis is the attended token; weights along it sum to 1.

    Examples
    --------
    >>> import torch
    >>> from sklearn_cloud.encoder import SymmetryTokenizer, load_encoder
    >>> from sklearn_cloud.encoder.attention_weights import attention_weights
    >>> ids = torch.tensor([SymmetryTokenizer().encode("8a | Si 1.0")])
    >>> encoder = load_encoder("mini").build().eval()
    >>> attention_weights(encoder, ids, torch.ones_like(ids)).shape
    torch.Size([4, 1, 4, 6, 6])
    """
    hidden, mask = embed_tokens(encoder, attention_mask, input_ids=input_ids, token=token)
    weights = []
    for layer in encoder.encoder.layer:
        attention = layer.attention.self
        shape = (len(hidden), -1, attention.num_attention_heads, attention.attention_head_size)
        query = attention.query(hidden).view(shape).transpose(1, 2)
        key = attention.key(hidden).view(shape).transpose(1, 2)
        scores = query @ key.transpose(2, 3) / math.sqrt(attention.attention_head_size)
        weights.append(scores.masked_fill(~mask, -math.inf).softmax(dim=-1))
        hidden = layer(hidden, mask)
    return torch.stack(weights)


def attention_rollout(weights):
    """Return the attention rollout: the contribution of each token to each position.

    Parameters
    ----------
    weights : array-like of shape (n_layers, n_heads, n_tokens, n_tokens)
        Attention weights of one string.

    Returns
    -------
    ndarray of shape (n_tokens, n_tokens)
        Rows sum to 1.

    Notes
    -----
    The heads of a layer are averaged, the residual connection is an identity of equal weight, and
    the layers are multiplied [1]_. The feed-forward blocks are ignored.

    References
    ----------
    .. [1] S. Abnar, W. Zuidema, "Quantifying Attention Flow in Transformers", ACL 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_cloud.encoder.attention_weights import attention_rollout
    >>> swap = np.array([[[[0.0, 1.0], [1.0, 0.0]]]])  # one layer, one head, two tokens
    >>> attention_rollout(swap)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    weights = np.asarray(weights, dtype=float)
    rollout = identity = np.eye(weights.shape[-1])
    for layer in weights.mean(axis=1):
        rollout = (layer + identity) / 2 @ rollout
    return rollout
