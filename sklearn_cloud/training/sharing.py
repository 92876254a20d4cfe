"""Train one network in several processes, such as one for each GPU."""

import os

import torch
from skorch.callbacks import Callback
from torch import distributed


class ShareBatches(Callback):
    """Share every batch of a training between processes, such as one for each GPU.

    Pass it to `callbacks=` of `CloudRegressor` or `CloudClassifier`, and start the script with
    `torchrun` or `accelerate launch`. Every process fits the same estimator to the same rows. Of
    each batch it trains on its share, and the gradients are averaged before the step. All
    processes end with the same network, that of one process but for rounding and dropout.

    Parameters
    ----------
    backend : str, default=None
        Backend of `torch.distributed`; None is "nccl" for a network on CUDA and "gloo" otherwise.

    Notes
    -----
    Without a launcher, or with one process, it does nothing. ``random_state`` must be an integer,
    and ``batch_size`` is that over all processes. Losses are means over the processes. Like other
    callbacks it cannot be saved: set ``callbacks=None`` before `save_model`, which one of the
    processes calls.

    Raises
    ------
    ValueError
        In `fit`, if the processes have different rows, seeds or weights.

    Examples
    --------
    >>> from sklearn_cloud import CloudRegressor
    >>> from sklearn_cloud.training.sharing import ShareBatches
    >>> model = CloudRegressor(max_epochs=1, random_state=0, callbacks=[ShareBatches()])
    >>> strings = ["1a 1b | Na 0.5 Cl 0.5", "4a 4c | Zn 0.5 S 0.5"] * 8
    >>> model.fit(strings, [8.5, 3.6] * 8).n_iter_  # in a single process: as without it
    1
    """

    def __init__(self, backend=None):
        self.backend = backend

    def on_train_begin(self, net, X=None, **kwargs):
        self.world_ = int(os.environ.get("WORLD_SIZE", 1))
        if self.world_ == 1:
            return
        if not distributed.is_initialized():
            on_cuda = torch.device(net.device).type == "cuda"
            distributed.init_process_group(self.backend or ("nccl" if on_cuda else "gloo"))
        self._check_equal(net, len(X))
        # set_params would build the net anew
        net.iterator_train__share = distributed.get_rank(), self.world_

    def _check_equal(self, net, n_rows):
        """Raise ValueError unless all processes train the same network on the same batches."""
        weights = sum(p.detach().double().abs().sum() for p in net.module_.parameters())
        seed = net.get_params_for("iterator_train")["seed"]
        mine = torch.stack([weights, weights.new_tensor(n_rows), weights.new_tensor(seed)])
        low, high = mine.clone(), mine.clone()
        distributed.all_reduce(low, distributed.ReduceOp.MIN)
        distributed.all_reduce(high, distributed.ReduceOp.MAX)
        if not torch.equal(low, high):
            raise ValueError(
                "The processes that share the batches have different rows, seeds or weights: fit "
                "the same rows in all of them, and set random_state to an integer."
            )

    def on_grad_computed(self, net, named_parameters=(), batch=None, **kwargs):
        if self.world_ == 1:
            return
        gradients = [p.grad for _, p in named_parameters if p.grad is not None]
        joined = torch.cat([gradient.flatten() for gradient in gradients]) * batch[0].share
        distributed.all_reduce(joined)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, joined.split(sizes), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def on_epoch_end(self, net, **kwargs):
        # The losses become their means, so that all processes keep the same epoch.
        if self.world_ == 1:
            return
        names = [name for name in ("train_loss", "valid_loss") if name in net.history[-1]]
        losses = [net.history[-1][name] for name in names]
        losses = torch.tensor(losses, dtype=torch.float64, device=net.device)
        distributed.all_reduce(losses)
        for name, loss in zip(names, (losses / self.world_).tolist(), strict=True):
            net.history.record(name, loss)


def shares_batches(callback):
    """Whether this is a `ShareBatches`, or a pair of its name and it."""
    return isinstance(callback[1] if isinstance(callback, tuple) else callback, ShareBatches)
