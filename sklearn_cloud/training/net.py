"""The skorch net inside the estimators: built, trained, exported, restored."""

import math
import os
import signal
import threading
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import filterfalse

import torch
from skorch import NeuralNet
from skorch.callbacks import Freezer, GradientNormClipping, LRScheduler, Unfreezer
from skorch.helper import predefined_split
from skorch.history import History

from ..encoder.weights import check_fit
from .callbacks import BestEpoch, Patience, ProgressBar, has_stopped
from .data import PaddedBatches
from .sharing import shares_batches

MAX_GRADIENT_NORM = 1.0
PREDICTION_BATCH_SIZE = 64
NO_DECAY = [
    (pattern, {"weight_decay": 0.0}) for pattern in ("*.bias", "*LayerNorm.weight", "*norm*.weight")
]


#: Initial weights and dropout come from torch's generators, of which a process has one for each
#: device: fits in several threads take turns.
_generators = threading.RLock()


def _renew_lock():
    """A child process has none of the threads that may have held the lock."""
    global _generators
    _generators = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


@contextmanager
def local_seed(seed, device):
    """Seed torch inside the block only, which one thread at a time enters."""
    with _generators, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if torch.device(device).type == "cpu":
            yield
        else:
            with _seeded_device(seed, torch.device(device)):
                yield


@contextmanager
def _seeded_device(seed, device):
    module = torch.get_device_module(device)
    # Apple's GPU is always one
    which = () if device.type == "mps" else (device,)
    state = module.get_rng_state(*which)
    try:
        with module.device(device) if which else nullcontext():
            module.manual_seed(seed)
        yield
    finally:
        module.set_rng_state(state, *which)


def warmup_cosine(step, n_warmup, n_steps):
    """Factor on the learning rate: linear up to 1 in ``n_warmup`` steps, then cosine to 0."""
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    progress = (step - n_warmup) / max(1, n_steps - n_warmup)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def build_net(module, module_params, criterion, device, **training_params):
    """A skorch net around a module class, not yet initialised."""
    return NeuralNet(
        module,
        criterion,
        **{f"module__{name}": value for name, value in module_params.items()},
        iterator_train=PaddedBatches,
        iterator_valid=PaddedBatches,
        iterator_valid__batch_size=PREDICTION_BATCH_SIZE,
        callbacks__print_log=None,
        device=device,
        verbose=0,
        **training_params,
    )


def parameter_groups(settings, n_layers):
    """Groups of weights for the optimizer, as skorch takes them: the first pattern counts.

    With a `layer_decay` below 1, the layers of the encoder learn the slower the further they are
    from the head, as they change least from pre-training to any task.
    """
    decay = settings.get("layer_decay", 1.0)
    if decay == 1.0:
        return NO_DECAY
    depths = {f"encoder.encoder.layer.{k}.": n_layers - k for k in range(n_layers)}
    depths["encoder.embeddings."] = n_layers + 1
    groups = []
    for prefix, depth in depths.items():
        rate = {"lr": settings["learning_rate"] * decay**depth}
        groups += [(f"{prefix}{pattern}", {**group, **rate}) for pattern, group in NO_DECAY]
        groups.append((f"{prefix}*", rate))
    return groups + NO_DECAY


def training_callbacks(n_batches, settings, description):
    """Callbacks of one training run; ``settings`` are the parameters of the estimator."""
    n_steps = settings["max_epochs"] * n_batches
    schedule = partial(
        warmup_cosine, n_warmup=round(settings["warmup_ratio"] * n_steps), n_steps=n_steps
    )
    own = settings["callbacks"] or []
    callbacks = [
        *filter(shares_batches, own),  # gradients are averaged before they are clipped
        ("clip", GradientNormClipping(MAX_GRADIENT_NORM)),
        (
            "learning_rate",
            LRScheduler(torch.optim.lr_scheduler.LambdaLR, lr_lambda=schedule, step_every="batch"),
        ),
    ]
    if settings["freeze_epochs"]:
        callbacks += [
            ("freeze", Freezer("encoder.*", at=1)),
            ("unfreeze", Unfreezer("encoder.*", at=settings["freeze_epochs"] + 1)),
        ]
    best = BestEpoch()
    callbacks += [("best", best), *filterfalse(shares_batches, own)]
    if settings["verbose"]:
        callbacks.append(("progress", ProgressBar(description)))
    # Last, so that the others have seen the epoch when it ends the training.
    callbacks.append(("patience", Patience(best, settings["patience"])))
    return callbacks


def train_net(net_params, encoder_weights, train, valid, settings, description):
    """Train a new net.

    Parameters
    ----------
    net_params : dict
        Arguments of `build_net`.
    encoder_weights : dict of str to torch.Tensor, or None
        Weights to start the encoder from.
    train, valid : InputDataset
        ``valid`` may be None.
    settings : dict
        Parameters of the estimator, and ``batch_seed``.
    description : str
        Of the progress bar.

    Returns
    -------
    net : skorch.NeuralNet
    best : BestEpoch
    stopped : bool
        Whether a callback ended the training, and not an interruption.
    pressed : bool
        Whether Ctrl-C was pressed.
    """
    n_batches = len(PaddedBatches(train, settings["batch_size"]))
    n_layers = getattr(net_params["module_params"].get("config"), "n_layers", 0)
    net = build_net(
        **net_params,
        optimizer=torch.optim.AdamW,
        lr=settings["learning_rate"],
        optimizer__weight_decay=settings["weight_decay"],
        optimizer__param_groups=parameter_groups(settings, n_layers),
        optimizer__fused=True,
        max_epochs=settings["max_epochs"],
        batch_size=settings["batch_size"],
        iterator_train__seed=settings["batch_seed"],
        train_split=None if valid is None else predefined_split(valid),
        callbacks=training_callbacks(n_batches, settings, description),
    )
    net.initialize()
    if encoder_weights is not None:
        net.module_.encoder.load_state_dict(encoder_weights)
    with watch_ctrl_c() as pressed:
        # partial_fit trains the weights that are there; fit would draw new ones.
        net.partial_fit(train)
    callbacks = dict(net.callbacks_)
    best, stopped = callbacks["best"], any(map(has_stopped, callbacks.values()))
    if best.n_epochs_ == 0:
        raise KeyboardInterrupt("interrupted before the first epoch was complete")
    net.module_.requires_grad_(True)
    trim(net)
    return net, best, stopped, bool(pressed)


@contextmanager
def watch_ctrl_c():
    """Give a list, which is empty unless Ctrl-C is pressed inside the block.

    skorch ends the training at any `KeyboardInterrupt`, of Ctrl-C and of a callback alike.
    """
    pressed = []

    def interrupt(signum, frame):
        pressed.append(signum)
        raise KeyboardInterrupt

    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def trim(net):
    """Drop optimizer, callbacks and data from a trained net; the history stays."""
    history, net.history = net.history, History()
    net.trim_for_prediction()
    net.history = history


def export_net(net):
    """Shape and weights of a net, the weights as NumPy arrays.

    Arguments of the module that are classes are left out: they belong to the code.
    """
    arguments = net.get_params_for("module")
    weights = {k: v.detach().cpu().numpy() for k, v in net.module_.state_dict().items()}
    return {
        "module_params": {k: v for k, v in arguments.items() if not isinstance(v, type)},
        "weights": weights,
    }


def restore_net(module, exported, device):
    """A net around ``module`` that predicts, from what `export_net` gave.

    Raises
    ------
    ValueError
        If the weights are not those of this module, or cannot be right.
    """
    weights = {name: torch.tensor(array) for name, array in exported["weights"].items()}
    check_fit(module, exported["module_params"], weights)
    # It only predicts: the loss is of no consequence.
    net = build_net(module, exported["module_params"], torch.nn.L1Loss, device)
    with local_seed(0, device):
        net.initialize()
    net.module_.load_state_dict(weights)
    trim(net)
    return net
