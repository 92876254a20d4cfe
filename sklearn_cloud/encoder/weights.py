"""Read, write and check safetensors files of weights."""

from numbers import Integral

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from ..exceptions import ModelFolderError
from ..files import atomic_write, check_ordinary
from .config import EncoderConfig

WEIGHTS_FILE = "model.safetensors"
PICKLED_WEIGHTS_FILE = "pytorch_model.bin"
PICKLE_ADVICE = (
    f" {PICKLED_WEIGHTS_FILE} is a pickle, which can run code when loaded, and is not opened. "
    "If you trust its source, convert it once, in its folder:\n"
    "import torch, safetensors.torch\n"
    f"weights = torch.load({PICKLED_WEIGHTS_FILE!r}, map_location='cpu', weights_only=True)\n"
    "weights = {k: v.clone().contiguous() for k, v in weights.items()}\n"
    f"safetensors.torch.save_file(weights, {WEIGHTS_FILE!r})"
)
#: Trained weights are far smaller.
LARGEST_WEIGHT = 1e6
#: Number of layers, and of steps without weights, that a description may always have.
MOST_STEPS = 200
#: Possible names of the encoder inside a model.
PREFIXES = ("bert.", "encoder.")
#: Heads of that model that the encoder does not have.
HEADS = ("cls.", "pooler.")
#: A buffer of older versions of transformers: 0, 1, 2, ...
POSITION_IDS = "embeddings.position_ids"


def save_file(tensors, path):
    """Write tensors as safetensors; an existing file is replaced when the new one is complete."""
    with atomic_write(path) as partial:
        # files of safetensors' own save_file are readable only by their owner
        partial.write_bytes(save(tensors, metadata={"format": "pt"}))


def read_weights(path):
    """Return the tensors of a safetensors file, after checking that they are finite."""
    try:
        check_ordinary(path)
        weights = load_file(path)
    except FileNotFoundError:
        message = f"{path.parent} has no weights file {path.name}."
        if path.with_name(PICKLED_WEIGHTS_FILE).is_file():
            message += PICKLE_ADVICE
        raise ModelFolderError(message) from None
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged or not a safetensors file: {error}") from error
    check_finite(weights, path)
    # load_file maps the file: the tensors would change with it, and crash if it is shortened
    return {name: tensor.clone() for name, tensor in weights.items()}


def half_precision(module, name):
    """Return the weights of a module in float16, as they are saved.

    Parameters
    ----------
    module : torch.nn.Module
    name : str
        Name of the module in messages.

    Raises
    ------
    ValueError
        If a weight is NaN or too large for float16.
    """
    weights = {k: v.detach().cpu().half().contiguous() for k, v in module.state_dict().items()}
    check_finite(weights, f"{name} in float16")
    return weights


def single_precision(weights, path):
    """Return weights in float32; raise ValueError if some are not floating-point numbers."""
    for name, tensor in weights.items():
        if not tensor.is_floating_point():
            raise ValueError(f"{name} in {path} has the type {tensor.dtype}, not a float type.")
    return {name: tensor.float() for name, tensor in weights.items()}


def check_shapes(weights, expected, path):
    """Raise ValueError unless names and shapes of weights are the expected ones."""
    missing = sorted(set(expected) - set(weights))
    surplus = sorted(set(weights) - set(expected))
    if missing or surplus:
        raise ValueError(
            f"{path} does not match its configuration: missing {missing[:3]} ({len(missing)} in "
            f"all), unexpected {surplus[:3]} ({len(surplus)} in all)."
        )
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise ValueError(
                f"{path} does not match its configuration: {name} has shape {tuple(tensor.shape)}, "
                f"expected {tuple(expected[name].shape)}."
            )


def check_finite(weights, where):
    """Raise ValueError if a weight is infinite, NaN, or too large for a trained weight."""
    for name, tensor in weights.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} has infinite or NaN weights in {where}.")
        if tensor.numel() and tensor.abs().max() > LARGEST_WEIGHT:
            raise ValueError(f"{name} has weights above {LARGEST_WEIGHT:g} in {where}.")


def check_fit(module, arguments, weights, where="the model"):
    """Check that weights match a module, before it is built.

    Parameters
    ----------
    module : type
        Class of the module.
    arguments : dict
        Arguments of the module.
    weights : dict of str to torch.Tensor
    where : str or path-like
        Source of the weights, for messages.

    Raises
    ------
    ValueError
        If names or shapes differ, or a weight is invalid.
    """
    # before the device is set: with torch 2.7, what this imports of torch cannot be imported after
    from transformers.models.bert import modeling_bert  # noqa: F401

    _check_sizes(arguments, weights, where)
    with torch.device("meta"):
        expected = module(**arguments).state_dict()
    check_shapes(weights, expected, where)
    check_finite(weights, where)


def _check_sizes(arguments, weights, where):
    """Check sizes first: layers take time to build even without memory for their weights."""
    n_weights = sum(tensor.numel() for tensor in weights.values())
    for name, value in arguments.items():
        if isinstance(value, EncoderConfig):
            _check_sizes(vars(value), weights, where)
        repeats = name.endswith(("layers", "blocks", "convolutions", "steps"))
        largest = max(len(weights), MOST_STEPS) if repeats else max(n_weights, MOST_STEPS)
        if isinstance(value, Integral) and value > largest:
            raise ValueError(
                f"{where} does not match its weights: {name}={value} with {len(weights)} tensors "
                f"of {n_weights} weights in all."
            )


def encoder_weights(weights, path):
    """Return the weights of the encoder only, named as in `transformers.BertModel`.

    Parameters
    ----------
    weights : dict of str to torch.Tensor
        Weights of a ``BertModel``, or of a model with one named ``bert`` or ``encoder``.
    path : path-like
        Source of the weights, for messages.

    Returns
    -------
    dict of str to torch.Tensor
        The weights without the heads for masked tokens (``cls.*``) and sentences (``pooler.*``).

    Raises
    ------
    ValueError
        If there are weights that belong neither to the encoder nor to these heads.
    """
    prefix = next(
        (p for p in PREFIXES if any(k.startswith(f"{p}embeddings.") for k in weights)), ""
    )
    outside = [name for name in weights if not name.startswith((prefix, *HEADS))]
    if outside:
        raise ValueError(
            f"{path} has weights that do not belong to an encoder: {outside[:3]} ({len(outside)} "
            f"in all)."
        )
    inside = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return {
        name: tensor
        for name, tensor in inside.items()
        if not name.startswith(HEADS) and name != POSITION_IDS
    }
