"""Files of weights: safetensors, read and written with care."""

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ..files import atomic_write

WEIGHTS_FILE = "model.safetensors"
PICKLED_WEIGHTS_FILE = "pytorch_model.bin"
PICKLE_ADVICE = (
    f" {PICKLED_WEIGHTS_FILE} is a pickle, which can run code when it is read, and is not opened. "
    "If you trust where it came from, convert it once, in its folder:\n"
    "import torch, safetensors.torch\n"
    f"weights = torch.load({PICKLED_WEIGHTS_FILE!r}, map_location='cpu', weights_only=True)\n"
    "weights = {k: v.clone().contiguous() for k, v in weights.items()}\n"
    f"safetensors.torch.save_file(weights, {WEIGHTS_FILE!r})"
)
#: What the encoder may be called inside a model.
PREFIXES = ("bert.", "encoder.")
#: Heads of that model that an encoder does without.
HEADS = ("cls.", "pooler.")
#: A buffer of older versions of transformers: 0, 1, 2, ...
POSITION_IDS = "embeddings.position_ids"


def save_file(tensors, path):
    """Write tensors as safetensors; a file of that name stays whole until the new one is."""
    with atomic_write(path) as partial:
        # safetensors' own save_file lets nobody but the owner read what it writes
        partial.write_bytes(save(tensors, metadata={"format": "pt"}))


def read_weights(path):
    """Tensors of a safetensors file, checked to be whole and finite."""
    try:
        weights = load_file(path)
    except FileNotFoundError:
        message = f"{path.parent} has no weights file {path.name}."
        if path.with_name(PICKLED_WEIGHTS_FILE).is_file():
            message += PICKLE_ADVICE
        raise ValueError(message) from None
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or not a safetensors file: {error}") from error
    check_finite(weights, path)
    return weights


def check_shapes(weights, expected, path):
    """Raise ValueError unless names and shapes of weights are the expected ones."""
    missing = sorted(set(expected) - set(weights))
    surplus = sorted(set(weights) - set(expected))
    if missing or surplus:
        raise ValueError(
            f"{path} does not fit its configuration: missing {missing[:3]} ({len(missing)} in "
            f"all), not expected {surplus[:3]} ({len(surplus)} in all)."
        )
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise ValueError(
                f"{path} does not fit its configuration: {name} has shape {tuple(tensor.shape)}, "
                f"expected {tuple(expected[name].shape)}."
            )


def check_finite(weights, where):
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} has infinite or NaN weights in {where}.")


def encoder_weights(weights, path):
    """Weights of the encoder alone, named as in `transformers.BertModel`.

    Parameters
    ----------
    weights : dict of str to torch.Tensor
        Of a ``BertModel``, or of a model around one, called ``bert`` or ``encoder``.
    path : path-like
        Where they are from, for the message.

    Returns
    -------
    dict of str to torch.Tensor
        Without the heads for masked tokens (``cls.*``) and sentences (``pooler.*``).

    Raises
    ------
    ValueError
        If there are other weights beside those of the encoder and these heads.
    """
    prefix = next(
        (p for p in PREFIXES if any(k.startswith(f"{p}embeddings.") for k in weights)), ""
    )
    outside = [name for name in weights if not name.startswith((prefix, *HEADS))]
    if outside:
        raise ValueError(
            f"{path} has weights that belong to no encoder: {outside[:3]} ({len(outside)} in all)."
        )
    inside = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return {
        name: tensor
        for name, tensor in inside.items()
        if not name.startswith(HEADS) and name != POSITION_IDS
    }
