"""Callbacks that users pass into the training."""

import pickle
import signal

import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from skorch.callbacks import Callback, EarlyStopping

from sklearn_cloud.estimators import CloudClassifier


class Losses(Callback):
    """Keeps the validation losses and stops after some epochs."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after

    def on_train_begin(self, net, **kwargs):
        self.seen = []

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.history[-1]["valid_loss"])
        if len(self.seen) == self.stop_after:
            raise RuntimeError("enough")


def test_callbacks_see_every_epoch_and_change_nothing(tiny, fitted, data):
    losses = Losses()
    callbacks = [losses]
    tiny.set_params(callbacks=callbacks, verbose=1).fit(*data)
    assert losses.seen == tiny.validation_scores_ == fitted.validation_scores_
    assert tiny.callbacks is callbacks and callbacks == [losses]
    assert (tiny.predict(data[0]) == fitted.predict(data[0])).all()
    assert (pickle.loads(pickle.dumps(tiny)).predict(data[0]) == fitted.predict(data[0])).all()


def test_clones_have_callbacks_of_their_own(tiny, data):
    tiny.set_params(callbacks=[("losses", Losses()), Losses(9)])
    copy = clone(tiny).fit(*data)
    assert len(copy.callbacks[0][1].seen) == 3 and copy.callbacks[1].stop_after == 9
    assert not hasattr(tiny.callbacks[1], "seen")


def test_errors_of_a_callback_end_the_fit(tiny, data):
    with pytest.raises(RuntimeError, match="enough"):
        tiny.set_params(callbacks=(Losses(stop_after=2),)).fit(*data)
    assert len(tiny.callbacks[0].seen) == 2 and not hasattr(tiny, "net_")


def test_classifier(tiny, data):
    strings, target = data
    losses = Losses()
    model = CloudClassifier(tiny.encoder, max_epochs=2, callbacks=[losses], random_state=0)
    model.fit(strings, target > target.mean())
    assert losses.seen == model.validation_scores_


def test_not_a_list(tiny, data):
    with pytest.raises(ValueError, match="callbacks"):
        tiny.set_params(callbacks=Losses()).fit(*data)


class CtrlC(Callback):
    """Ctrl-C between two epochs, where skorch leaves no trace of it."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_between_epochs_ends_the_caller(tiny, data):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        model = tiny.set_params(callbacks=[CtrlC()], max_epochs=9)
        with pytest.raises(KeyboardInterrupt, match="interrupted after 2 of 9 epochs"):
            cross_val_score(model, *data, cv=2, error_score=0.0)
        with pytest.raises(KeyboardInterrupt):  # in the last epoch
            model.set_params(max_epochs=2).fit(*data)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, handler)
    assert len(model.predict(data[0])) == len(data[0])


def test_early_stopping_of_skorch_is_not_an_interruption(tiny, data, recwarn):
    # a threshold that no epoch can pass: two misses after the first epoch
    stopping = EarlyStopping(patience=2, threshold=1e9, threshold_mode="abs")
    model = tiny.set_params(callbacks=[stopping], max_epochs=9).fit(*data)
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert not [one for one in recwarn if "interrupted" in str(one.message)]
