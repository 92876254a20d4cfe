"""Parameters of the estimators with a network: fields of their classes, described once.

A parameter is an annotated field of a class, ``width: int = 64``. `make_parameters`, which
`NetEstimator` calls for every subclass, collects the fields of a class and its bases into a
keyword-only ``__init__`` that stores them. A subclass changes a default by ``max_epochs = 150``.
In a docstring the lines ``{other parameters}`` and ``{other attributes}`` stand for those that
the docstring does not describe itself.
"""

import inspect
import json
import re
from dataclasses import Field, dataclass, field

PARAMETERS_HERE, ATTRIBUTES_HERE = "    {other parameters}", "    {other attributes}"
#: Descriptions of parameters and attributes that several estimators have, by name, or by name and
#: default where that allows other values.
PARAMETERS = {
    "loss": """{"absolute", "squared", "quantile"}
        Error of the standardised target that is trained on: its absolute value, its square, or
        the pinball loss of `quantile`.""",
    "quantile": """float
        Quantile that is predicted with ``loss="quantile"``; 0.5 is the median.""",
    "class_weight": """dict, "balanced" or None
        Weight of the rows of each class in the loss, on top of ``sample_weight``: a dictionary
        from label to weight (1 where a label is missing), or "balanced" for weights inversely
        proportional to the number of rows. None weighs all classes alike.""",
    "max_epochs": """int
        Passes over the training rows.""",
    "max_epochs=auto": """int or "auto"
        Passes over the training rows. "auto" means 50, or for more than 5,120 rows in batches of
        32 as many as 8,000 steps allow, but at least 2.""",
    "learning_rate": """float
        Highest learning rate; it rises linearly and then falls to zero along a cosine.""",
    "batch_size": """int
        Rows per training step.""",
    "weight_decay": """float
        Weight decay of AdamW; biases and layer norms are spared.""",
    "validation_fraction": """float
        Share of the rows that is taken out of the training rows to choose the best epoch. With
        0 nothing is held out and the last epoch is kept.""",
    "patience": """int
        Stop after this many epochs without a better validation loss; None never stops early.""",
    "device": """str or torch.device
        Where to compute; None is CUDA where there is one, else the CPU.""",
    "precision": """{"fp32", "bf16", "auto"}
        Precision of the training. "auto" is bfloat16 where it is faster (graphics cards and CPUs
        with instructions for it: AMX, AVX-512 BF16), else float32. Predictions are always made in
        float32.""",
    "random_state": """int, RandomState instance or None
        Seed of all that is drawn: initial weights, dropout, batches, validation rows. PyTorch's
        global random numbers are left alone.""",
    "verbose": """int
        Above 0 shows progress bars.""",
    "head_layers": """int
        Hidden layers of the head; the paper uses 1 to 3.""",
    "head_width": """int
        Width of these layers; None is the width of the encoder.""",
    "dropout": """float
        Dropout of encoder and head while training.""",
    "warmup_ratio": """float
        Share of the steps in which the learning rate rises.""",
    "layer_decay": """float
        Factor on the learning rate from each layer of the encoder to the one below it; with less
        than 1, what pre-training has learned changes less.""",
    "number_dropout": """float
        Share of the training rows, drawn anew in every epoch, that go without the numbers next to
        their strings; of the others, half that share of the numbers. Above 0, unknown numbers cost
        less, and known ones are used less.""",
    "freeze_epochs": """int
        Number of first epochs in which only the head is trained.""",
    "callbacks": """list of skorch.callbacks.Callback
        More of what skorch calls between the steps and epochs of the training, used as they
        are. Each epoch of `net.history` has "train_loss" and "valid_loss".""",
    "on_too_long": """{"raise", "truncate"}
        What to do with strings that have more tokens than the encoder has positions.""",
}
ATTRIBUTES = {
    "classes_": """ndarray of shape (n_classes,)
        The labels, sorted.""",
    "net_": """skorch.NeuralNet
        The trained net; `net_.module_` is the PyTorch module. After unpickling it has no
        history.""",
    "loss_curve_": """list of float
        Training loss of every epoch: the error in units of `target_scale_`, or the weighted
        cross-entropy in nats of a classifier.""",
    "validation_scores_": """list of float or None
        The same on the validation rows; None without validation.""",
    "best_epoch_": """int
        Epoch whose weights are kept, counted from 1.""",
    "n_iter_": """int
        Epochs that were trained.""",
    "target_mean_, target_scale_": """ndarray of shape (n_outputs,)
        Mean and standard deviation of the targets over the training rows.""",
    "n_outputs_": """int
        Number of targets or classes.""",
    "n_parameters_": """int
        Number of trained weights.""",
    "device_": """str
        Where the net is.""",
}
#: Attributes that only some estimators have, as properties of their class.
OF_SOME = ("classes_", "target_mean_")


def make_parameters(cls):
    """Give a class its ``__init__``, the constraints of its bases, and its whole docstring.

    Parameters
    ----------
    cls : type
        One with an ``__init__`` of its own keeps it.
    """
    constraints = [vars(base).get("_parameter_constraints", {}) for base in reversed(cls.__mro__)]
    cls._parameter_constraints = {name: c for one in constraints for name, c in one.items()}
    if "__init__" in vars(cls):
        return
    kinds = {}
    for base in cls.__mro__:
        own = inspect.get_annotations(base)
        kinds |= {name: kind for name, kind in own.items() if name not in kinds}
    positional = [name for name in kinds if _is_positional(cls, name)]
    for name in positional:
        default = getattr(cls, name)
        default = default.default if isinstance(default, Field) else default
        setattr(cls, name, field(default=default, kw_only=False))
    own, cls.__annotations__ = inspect.get_annotations(cls), kinds
    dataclass(kw_only=True, eq=False, repr=False, match_args=False)(cls)
    cls.__annotations__ = own
    # dataclass puts the parameters of the bases first; here each class's own come first
    parameters = dict(inspect.signature(cls.__init__).parameters)
    order = ["self", *positional, *(name for name in kinds if name not in positional)]
    cls.__init__.__signature__ = inspect.Signature([parameters[name] for name in order])
    cls.__doc__ = _fill(cls, order[1:])


def _is_positional(cls, name):
    one = vars(cls).get(name) or getattr(cls, "__dataclass_fields__", {}).get(name)
    return isinstance(one, Field) and one.kw_only is False


def _fill(cls, names):
    """The docstring of a class with the shared descriptions in their places."""
    text = cls.__doc__ or ""

    def others(known, described):
        missing = [name for name in known if not re.search(rf"^    {name}\b.* : ", text, re.M)]
        return "\n".join(f"    {described(name)}" for name in missing)

    def parameter(name):
        default = getattr(cls, name)
        shown = json.dumps(default) if isinstance(default, str) else repr(default)
        described = PARAMETERS.get(f"{name}={default}", PARAMETERS[name])
        kind, _, rest = described.partition("\n")
        return f"{name} : {kind}, default={shown}\n{rest}"

    attributes = [
        name
        for name in ATTRIBUTES
        if not name.startswith(OF_SOME) or hasattr(cls, name.split(",")[0])
    ]
    if PARAMETERS_HERE in text:
        text = text.replace(PARAMETERS_HERE, others(names, parameter))
    if ATTRIBUTES_HERE in text:
        described = others(attributes, lambda name: f"{name} : {ATTRIBUTES[name]}")
        text = text.replace(ATTRIBUTES_HERE, described)
    return text or None
