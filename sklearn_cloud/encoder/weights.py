"""Files of weights: safetensors, read and written with care."""

from numbers import Integral

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ..files import atomic_write, check_ordinary
from .config import EncoderConfig

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
#: Trained weights are far below it.
LARGEST_WEIGHT = 1e6
#: Layers, and steps that have no weights, which a description may name in any case.
MOST_STEPS = 200
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
        check_ordinary(path)
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
    """Raise ValueError if a weight is infinite, NaN, or larger than any that is trained."""
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} has infinite or NaN weights in {where}.")
        if tensor.numel() and tensor.abs().max() > LARGEST_WEIGHT:
            raise ValueError(f"{name} has weights above {LARGEST_WEIGHT:g} in {where}.")


def check_fit(module, arguments, weights, where="the model"):
    """Check that weights are those of a module, before anything of its size is built.

    Parameters
    ----------
    module : type
        Class of the module.
    arguments : dict
        What it is built with.
    weights : dict of str to torch.Tensor
    where : str or path-like
        For the message.

    Raises
    ------
    ValueError
        If names or shapes differ, or a weight cannot be right.
    """
    _check_sizes(arguments, weights, where)
    with torch.device("meta"):
        expected = module(**arguments).state_dict()
    check_shapes(weights, expected, where)
    check_finite(weights, where)


def _check_sizes(arguments, weights, where):
    """Layers take time to build even where no memory is allocated for them."""
    n_weights = sum(tensor.numel() for tensor in weights.values())
    for name, value in arguments.items():
        if isinstance(value, EncoderConfig):
            _check_sizes(vars(value), weights, where)
        repeats = name.endswith(("layers", "blocks", "convolutions", "steps"))
        largest = max(len(weights), MOST_STEPS) if repeats else max(n_weights, MOST_STEPS)
        if isinstance(value, Integral) and value > largest:
            raise ValueError(
                f"{where} does not fit its weights: {name}={value} with {len(weights)} tensors of "
                f"{n_weights} weights in all."
            )


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
        If there are other weights next to those of the encoder and these heads.
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
