"""Self-supervised pre-training of a graph network."""

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from tqdm.auto import tqdm

from ..encoder.weights import save_file
from ..exceptions import shorten
from ..files import check_plan
from ..graphs.graph_checkpoints import save_graph_network
from ..graphs.graph_config import GraphConfig
from ..graphs.merged_graphs import collate_merged
from ..training.data import cut, shuffled_by_length
from ..training.devices import choose_bf16, choose_device
from ..training.net import MAX_GRADIENT_NORM, local_seed, warmup_cosine
from .graph_corpus import GraphCorpus
from .objectives.disturbed_graphs import DisturbedGraphs, disturb
from .plan_checks import check_metadata, check_parameters

_WARMUP_STEPS = 300
_LARGEST = 3000  # sites and bonds of a graph; the few larger ones are left out


def pretrain_graphs(
    corpus,
    folder,
    *,
    config=None,
    epochs=4,
    batch_size=64,
    learning_rate=2e-3,
    weight_decay=0.01,
    held_out=0.02,
    device=None,
    random_state=0,
    metadata=None,
    verbose=0,
):
    """Pre-train a graph network on crystals without labels.

    Parameters
    ----------
    corpus : GraphCorpus
        Crystals with coordinates, from `read_graph_corpus`. Graphs of more than 3,000 different
        sites and bonds are left out.
    folder : str or path
        Folder of the state after each epoch and, at the end, of `network/`, a value for `network=`
        of `GraphRegressor`, and `history.json`. A training that was interrupted resumes after its
        last complete epoch, with the same result as without the interruption.
    config : GraphConfig, default=None
        Shape of the network; None means the default shape.
    epochs : int, default=4
    batch_size : int, default=64
        Crystals per step.
    learning_rate, weight_decay : float
        Parameters of AdamW; 300 steps of linear warm-up, then cosine decay.
    held_out : float, default=0.02
        Share of the crystals, drawn at random, on which the losses are reported.
    device : str, default=None
        None uses CUDA if available.
    random_state : int, default=0
    metadata : dict, default=None
        Stored with the network; anything that JSON can express.
    verbose : int, default=0
        If not 0, show a progress bar.

    Returns
    -------
    dict
        `plan`: the parameters that the result depends on; `history`: the losses of each epoch on
        training and held-out crystals, see `DisturbedGraphs`; `network`: the folder of the trained
        network.

    Raises
    ------
    TypeError
        If `corpus`, `config` or `metadata` has another type.
    ValueError
        If a parameter is invalid, the corpus was read for another shape, no crystal is left for
        training, the loss becomes infinite or NaN, or the folder contains a damaged state or a
        training with other settings.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn_cloud.datasets import load_example
    >>> from sklearn_cloud.pretraining import GraphConfig, pretrain_graphs, read_graph_corpus
    >>> config = GraphConfig(width=16, n_blocks=2, message_layers=2)
    >>> corpus = read_graph_corpus(load_example().structures[:16], config)
    >>> with TemporaryDirectory() as folder:
    ...     result = pretrain_graphs(corpus, folder, config=config, epochs=1, batch_size=8)
    >>> result["network"].name
    'network'
    """
    config = config or GraphConfig()
    _check_corpus(corpus, config)
    folder = Path(folder)
    plan = {
        "config": asdict(config),
        "corpus": corpus.fingerprint,
        "rows": len(corpus.graphs),
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "held_out": held_out,
        "random_state": random_state,
    }
    plan = check_parameters(plan)
    check_metadata(metadata)
    rows = _split(corpus, plan)
    check_plan(folder / "plan.json", plan, "training")
    device = choose_device(device)
    with local_seed(plan["random_state"], device):
        model = DisturbedGraphs(config, corpus.numbers.shape[1]).to(device)
    history = _train(model, corpus, rows, folder, plan, device, verbose)
    stored = {**(metadata or {}), "pretraining": plan, "held_out": history[-1]["held_out"]}
    network = save_graph_network(folder / "network", model.encoder, config, stored)
    result = {"plan": plan, "history": history}
    (folder / "history.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return {**result, "network": network}


def _check_corpus(corpus, config):
    """Raise an error unless this is a corpus that was read for this shape."""
    if not isinstance(corpus, GraphCorpus):
        raise TypeError(
            f"corpus must be a GraphCorpus, got {type(corpus).__name__}: pass "
            "read_graph_corpus(crystals, config)."
        )
    if not isinstance(config, GraphConfig):
        raise TypeError(f"config must be a GraphConfig or None, got {config!r}.")
    if corpus.reading != corpus.reading_of(config):
        raise ValueError(
            "the corpus was read with other neighbours: use read_graph_corpus(crystals, config) "
            "with the same config."
        )


def _split(corpus, plan):
    """Return the rows that are held out, and those for training, both in random order."""
    sizes = np.array([graph.size for graph in corpus.graphs])
    rows = np.flatnonzero(sizes <= _LARGEST)
    rows = np.random.RandomState(plan["random_state"]).permutation(rows)
    n_held_out = round(plan["held_out"] * len(rows))
    if n_held_out == len(rows):
        raise ValueError(
            f"held_out={plan['held_out']} leaves none of {len(rows)} crystals for training (of "
            f"{len(sizes)}; larger graphs are left out): use less, or more crystals."
        )
    return rows[:n_held_out], rows[n_held_out:]


def _train(model, corpus, rows, folder, plan, device, verbose):
    """Train the epochs that are missing; return the history of all."""
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=plan["learning_rate"], weight_decay=plan["weight_decay"]
    )
    sizes = np.array([graph.size for graph in corpus.graphs])
    held_out, train = rows
    n_batches = math.ceil(len(train) / plan["batch_size"])
    n_steps = n_batches * plan["epochs"]
    history = _resume(folder, model, optimizer)
    bf16 = choose_bf16("auto", device)
    for epoch in range(len(history), plan["epochs"]):
        rng = np.random.RandomState((plan["random_state"] * 100_003 + epoch) % 2**32)
        batches = [train[b] for b in shuffled_by_length(sizes[train], plan["batch_size"], rng)]
        noise = np.random.default_rng([plan["random_state"], epoch])
        totals = []
        bar = tqdm(batches, desc=f"epoch {epoch + 1}", unit="step", disable=not verbose)
        for step, batch in enumerate(bar, start=epoch * n_batches):
            factor = warmup_cosine(step, _WARMUP_STEPS, n_steps)
            for group in optimizer.param_groups:
                group["lr"] = plan["learning_rate"] * factor
            losses = _losses(model, corpus, batch, noise, device, bf16)
            optimizer.zero_grad()
            losses["loss"].backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
            optimizer.step()
            totals.append({name: float(loss.detach()) for name, loss in losses.items()})
            bar.set_postfix(loss=f"{totals[-1]['loss']:.3f}", refresh=False)
        history.append({"train": _mean(totals), "held_out": None})
        if not math.isfinite(history[-1]["train"]["loss"]):
            raise ValueError(
                f"the loss of epoch {epoch + 1} is not a number: choose another folder and a "
                f"learning_rate below {plan['learning_rate']:g}."
            )
        if len(held_out):
            noise = np.random.default_rng(plan["random_state"])
            parts = cut(held_out[np.argsort(sizes[held_out])], plan["batch_size"])
            with torch.no_grad():
                scores = [_losses(model, corpus, part, noise, device, False) for part in parts]
            history[-1]["held_out"] = _mean(scores)
        _save(folder, model, optimizer, history)
    return history


def _losses(model, corpus, rows, noise, device, bf16):
    batch = collate_merged([corpus.graphs[row] for row in rows])
    disturbed = disturb(batch, noise)
    numbers = torch.from_numpy(corpus.numbers[rows])
    batch = {name: tensor.to(device) for name, tensor in batch.items()}
    disturbed = {name: tensor.to(device) for name, tensor in disturbed.items()}
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=bf16):
        return model(batch, disturbed, numbers.to(device))


def _mean(losses):
    return {name: float(np.mean([float(one[name]) for one in losses])) for name in losses[0]}


def _save(folder, model, optimizer, history):
    """Write weights, state of the optimizer and history: one file, replaced in one step."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
    text = torch.tensor(list(json.dumps(history).encode()), dtype=torch.uint8)
    save_file({**tensors, "history": text}, folder / "state.safetensors")


def _resume(folder, model, optimizer):
    """Load what `_save` wrote, if there is anything; return the history."""
    path = folder / "state.safetensors"
    if not path.exists():
        return []
    try:
        return _load(path, model, optimizer)
    except (SafetensorError, LookupError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged ({shorten(error)}): remove it to train from the start."
        ) from error


def _load(path, model, optimizer):
    # copies, because load_file maps the file, which is replaced after the next epoch
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    history = json.loads(bytes(tensors.pop("history").tolist()))
    states, weights = {}, {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "model":
            weights[rest] = tensor
        else:
            number, _, rest = rest.partition(".")
            states.setdefault(int(number), {})[rest] = tensor
    model.load_state_dict(weights)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": states})
    return history
