"""The layers of a BERT encoder as they are trained on a CPU.

The results are those of transformers' own layers except for rounding, in about two thirds of the
time: queries, keys and values come from one matrix product, everything between the layers has the
type of the matrix products, and random numbers for dropout are drawn four at a time.
"""

import math

import torch
from torch.nn.functional import gelu, layer_norm, linear

_LEVELS = 2**16  # of the random numbers of dropout


def train_first_position(layers, hidden, mask):
    """Return the vectors of the first position after all layers, with dropout.

    Under autocast, all but the weights and their gradients is in its type.

    Parameters
    ----------
    layers : sequence of transformers.models.bert.modeling_bert.BertLayer
    hidden : tensor of shape (n_strings, n_tokens, width)
        Input of the first layer.
    mask : tensor of shape (n_strings, 1, 1, n_tokens), bool
        False for padding.

    Returns
    -------
    tensor of shape (n_strings, width)
    """
    if torch.is_autocast_enabled("cpu"):
        hidden = hidden.to(torch.get_autocast_dtype("cpu"))
    with torch.autocast("cpu", enabled=False):
        padding = torch.zeros(mask.shape, dtype=hidden.dtype)
        padding.masked_fill_(~mask, torch.finfo(hidden.dtype).min)
        *layers, last = layers
        for layer in layers:
            hidden = _all_positions(layer, hidden, padding)
        return _first_position(last, hidden, padding)


def _all_positions(layer, hidden, padding):
    attention = layer.attention.self
    query, key, value = _project(
        hidden, attention, [attention.query, attention.key, attention.value]
    )
    return _finish(layer, _attend(attention, query, key, value, padding), hidden)


def _first_position(layer, hidden, padding):
    attention = layer.attention.self
    first = hidden[:, :1]
    (query,) = _project(first, attention, [attention.query])
    key, value = _project(hidden, attention, [attention.key, attention.value])
    return _finish(layer, _attend(attention, query, key, value, padding), first)[:, 0]


def _project(hidden, attention, layers):
    """Return the heads' vectors, a tensor of shape (n_strings * n_heads, n_tokens, width) each."""
    weight = torch.cat([layer.weight for layer in layers]).to(hidden.dtype)
    bias = torch.cat([layer.bias for layer in layers]).to(hidden.dtype)
    shape = (len(layers), attention.num_attention_heads, attention.attention_head_size)
    vectors = linear(hidden, weight, bias).unflatten(-1, shape)
    return vectors.permute(2, 0, 3, 1, 4).flatten(1, 2).unbind()


def _attend(attention, query, key, value, padding):
    """Return the attention's result for each query, shape (n_strings, n_queries, width)."""
    scores = torch.baddbmm(
        padding.expand(-1, attention.num_attention_heads, -1, -1).flatten(0, 1),
        query,
        key.transpose(1, 2),
        alpha=attention.attention_head_size**-0.5,
    )
    # the softmax of bfloat16 is slow, and that of float32 more accurate
    weights = scores.softmax(dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
    weights = weights.to(value.dtype)
    factors = dropout_factors(weights, attention.dropout)
    context = torch.bmm(weights if factors is None else weights * factors, value)
    return context.unflatten(0, (len(padding), -1)).transpose(1, 2).flatten(2)


def _finish(layer, context, hidden):
    """Return the output of a layer from the result of its attention and its input."""
    attended = _add(layer.attention.output, context, hidden)
    dense = layer.intermediate.dense
    return _add(layer.output, gelu(_linear(dense, attended)), attended)


def _add(block, hidden, residual):
    """Evaluate dense layer, dropout, residual connection and layer norm."""
    hidden = _linear(block.dense, hidden)
    factors = dropout_factors(hidden, block.dropout)
    total = residual + hidden if factors is None else residual.addcmul(hidden, factors)
    norm = block.LayerNorm
    return layer_norm(total, norm.normalized_shape, norm.weight, norm.bias, norm.eps)


def _linear(layer, hidden):
    return linear(hidden, layer.weight.to(hidden.dtype), layer.bias.to(hidden.dtype))


def dropout_factors(like, dropout):
    """Draw what dropout multiplies a tensor by.

    The probability is rounded to a multiple of 1 / 65536, so that a random number of 64 bits makes
    four factors.

    Parameters
    ----------
    like : tensor
        The factors have its shape and type.
    dropout : torch.nn.Dropout

    Returns
    -------
    tensor or None
        Zero where a value is dropped, otherwise the inverse of the share that is kept; None
        without dropout.
    """
    if dropout.p == 0:
        return None
    n_dropped = min(max(round(dropout.p * _LEVELS), 1), _LEVELS - 1)
    n_values = math.prod(like.shape)
    draws = torch.empty(-(-n_values // 4), dtype=torch.int64).random_(-(2**63), None)
    levels = draws.view(torch.int16)[:n_values]  # -32768, ..., 32767
    last_dropped = n_dropped - 1 - _LEVELS // 2
    # whether it is kept, 0 or 1; comparisons are slower
    kept = levels.clamp_(last_dropped, last_dropped + 1).sub_(last_dropped)
    return kept.to(like.dtype).mul_(_LEVELS / (_LEVELS - n_dropped)).view(like.shape)
