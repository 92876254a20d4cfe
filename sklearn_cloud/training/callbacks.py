"""What happens between the steps of the training: best epoch and progress bar."""

import math

from skorch.callbacks import Callback, EarlyStopping


class BestEpoch(Callback):
    """Keep the weights of the epoch with the lowest validation loss, in memory.

    Without validation rows the last epoch stays.
    """

    def on_train_begin(self, net, **kwargs):
        self.n_epochs_, self.best_epoch_ = 0, 0
        self.best_loss_, self.best_weights_ = math.inf, None

    def on_epoch_end(self, net, **kwargs):
        epoch = net.history[-1]
        loss = epoch.get("valid_loss", epoch["train_loss"])
        if not (math.isfinite(loss) and math.isfinite(epoch["train_loss"])):
            raise ValueError(
                f"Training diverged: the loss in epoch {epoch['epoch']} is {loss}. Lower "
                "learning_rate."
            )
        self.n_epochs_ = epoch["epoch"]
        if "valid_loss" not in epoch:
            self.best_epoch_ = self.n_epochs_
        elif loss < self.best_loss_:
            self.best_epoch_, self.best_loss_ = self.n_epochs_, loss
            state = net.module_.state_dict()
            self.best_weights_ = {name: tensor.clone() for name, tensor in state.items()}

    def on_train_end(self, net, **kwargs):
        if self.best_weights_ is not None:
            net.module_.load_state_dict(self.best_weights_)


class Patience(Callback):
    """Stop when the validation loss has not improved for some epochs.

    Parameters
    ----------
    best : BestEpoch
    patience : int or None
        The number of epochs; None never stops.
    """

    def __init__(self, best, patience):
        self.best = best
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        self.stopped_ = False

    def on_epoch_end(self, net, **kwargs):
        waited = self.best.n_epochs_ - self.best.best_epoch_
        if self.patience is not None and waited >= self.patience:
            self.stopped_ = True
            # This is how a skorch callback ends the training.
            raise KeyboardInterrupt


def has_stopped(callback):
    """Whether a callback has ended the training because there was no progress."""
    if isinstance(callback, EarlyStopping):
        return callback.misses_ == callback.patience
    return isinstance(callback, Patience) and callback.stopped_


class ProgressBar(Callback):
    """One bar over all batches of all epochs, with the latest losses.

    Parameters
    ----------
    description : str
    """

    def __init__(self, description):
        self.description = description

    def on_train_begin(self, net, X=None, **kwargs):
        from tqdm.auto import tqdm

        total = net.max_epochs * len(net.get_iterator(X, training=True))
        self.bar_ = tqdm(total=total, desc=self.description, unit="batch")

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.bar_.update()

    def on_epoch_end(self, net, **kwargs):
        epoch = net.history[-1]
        losses = {k: f"{epoch[k]:.4f}" for k in ("train_loss", "valid_loss") if k in epoch}
        self.bar_.set_postfix(epoch=epoch["epoch"], **losses)

    def on_train_end(self, net, **kwargs):
        self.bar_.close()
