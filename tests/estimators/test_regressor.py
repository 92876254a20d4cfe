import numpy as np
import pandas as pd
import pytest
import torch
from oxides import make_strings
from sklearn.base import clone
from skorch import NeuralNet

from sklearn_cloud import CloudRegressor
from sklearn_cloud.encoder import EncoderConfig, build_encoder, save_encoder
from sklearn_cloud.encoder.tokenizer import SymmetryTokenizer
from sklearn_cloud.training import estimator
from sklearn_cloud.training.callbacks import BestEpoch
from sklearn_cloud.training.net import warmup_cosine
from sklearn_cloud.training.targets import RegressionLoss


def weights_of(estimator):
    return {name: tensor.clone() for name, tensor in estimator.net_.module_.state_dict().items()}


def test_fitted_attributes(fitted, data):
    assert isinstance(fitted.net_, NeuralNet)
    assert isinstance(fitted.tokenizer_, SymmetryTokenizer)
    assert len(fitted.loss_curve_) == len(fitted.validation_scores_) == fitted.n_iter_ == 3
    assert 1 <= fitted.best_epoch_ <= 3
    assert fitted.n_outputs_ == 1
    assert fitted.device_ == ("cuda" if torch.cuda.is_available() else "cpu")
    assert fitted.encoder_config_.width == 32
    assert fitted.n_parameters_ == sum(p.numel() for p in fitted.net_.module_.parameters())
    assert fitted.predict(data[0]).shape == (64,)
    assert fitted.predict(data[0]).dtype == np.float64


def test_learns_a_rule_of_the_composition(tiny):
    strings, oxygen = make_strings(400)
    tiny.set_params(max_epochs=40, learning_rate=2e-3, dropout=0.0)
    model = tiny.fit(strings[:300], oxygen[:300])
    error = np.abs(model.predict(strings[300:]) - oxygen[300:]).mean()
    dummy = np.abs(np.median(oxygen[:300]) - oxygen[300:]).mean()
    # Over ten seeds the error is 0.06 to 0.29 of the dummy's.
    assert error < 0.5 * dummy
    assert model.loss_curve_[-1] < 0.1 * model.loss_curve_[0]


def test_random_state_reproduces(tiny, data):
    first, again = tiny.fit(*data).predict(data[0]), tiny.fit(*data).predict(data[0])
    other = tiny.set_params(random_state=1).fit(*data).predict(data[0])
    assert (first == again).all()
    assert not np.allclose(first, other)


def test_global_random_numbers_and_threads_are_untouched(tiny, data):
    torch.manual_seed(7)
    np.random.seed(7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()
    tiny.fit(*data).predict(data[0])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert torch.get_num_threads() == before[2]


def test_predictions_depend_neither_on_batches_nor_on_order(fitted, data):
    strings = data[0] + data[0][:10]
    expected = fitted.predict(strings)
    order = np.random.RandomState(0).permutation(len(strings))
    assert (fitted.predict([strings[i] for i in order]) == expected[order]).all()
    one_by_one = np.concatenate([fitted.predict([string]) for string in strings])
    np.testing.assert_allclose(one_by_one, expected, rtol=1e-6)


def test_prediction_ignores_batch_size(tiny, data):
    model = tiny.fit(*data)
    expected = model.predict(data[0])
    assert (model.set_params(batch_size=3).predict(data[0]) == expected).all()


@pytest.mark.parametrize(
    "convert",
    [
        tuple,
        np.array,
        lambda x: np.array(x, dtype=object),
        lambda x: np.array(x, dtype=object)[:, None],
        lambda x: pd.Series(x, index=range(5, 5 + len(x))),
        lambda x: pd.Series(x, dtype="string"),
        lambda x: pd.DataFrame({"string": x}),
    ],
)
def test_containers_of_strings_are_alike(fitted, data, convert):
    assert (fitted.predict(convert(data[0])) == fitted.predict(data[0])).all()


def test_inputs_and_parameters_are_not_changed(tiny, data):
    strings, y = np.array(data[0], dtype=object), data[1].copy()
    params = tiny.get_params()
    tiny.fit(strings, y).predict(strings)
    assert (strings == np.array(data[0], dtype=object)).all()
    assert (y == data[1]).all()
    assert tiny.get_params() == params


def test_distinct_strings_are_tokenized_once(tiny, data, monkeypatch):
    calls = []
    encode = SymmetryTokenizer.encode
    monkeypatch.setattr(
        SymmetryTokenizer, "encode", lambda self, s: calls.append(s) or encode(self, s)
    )
    tiny.fit(data[0] * 2, np.tile(data[1], 2))
    assert sorted(calls) == sorted(set(data[0]))


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_predictions_have_the_shape_of_the_targets(tiny, data, n_outputs):
    y = np.column_stack([data[1] * 10.0**k for k in range(n_outputs)])
    model = tiny.fit(data[0], y)
    assert model.n_outputs_ == n_outputs
    assert model.predict(data[0]).shape == (64, n_outputs)
    assert model.target_scale_.shape == (n_outputs,)


def test_each_target_has_its_own_scale(tiny):
    strings, oxygen = make_strings(300)
    y = np.column_stack([oxygen, 1e4 + 1e3 * oxygen])
    model = tiny.set_params(max_epochs=25, dropout=0.0).fit(strings, y)
    assert model.score(strings, y) > 0.9


@pytest.mark.parametrize("value", [0.0, 0.1, -1e8])
def test_constant_target_is_predicted(tiny, data, value):
    model = tiny.fit(data[0], np.full(64, value))
    assert model.target_scale_ == 1.0
    assert (model.predict(data[0]) == value).all()


def spy_on_training(monkeypatch):
    seen = {}
    train_net = estimator.train_net

    def spy(net_params, weights, train, valid, settings, description):
        seen.update(train=train, valid=valid)
        return train_net(net_params, weights, train, valid, settings, description)

    monkeypatch.setattr(estimator, "train_net", spy)
    return seen


def test_validation_rows_are_taken_out_of_the_training_rows(tiny, monkeypatch):
    strings = [f"O {i / 100}" for i in range(50)]
    seen = spy_on_training(monkeypatch)
    model = tiny.set_params(validation_fraction=0.2).fit(strings, np.arange(50.0))
    train, valid = ({tuple(ids) for ids, _ in seen[k].inputs} for k in ("train", "valid"))
    assert (len(train), len(valid), len(train & valid)) == (40, 10, 0)
    # Mean and scale come from the training rows alone.
    standardised = seen["train"].targets.numpy()
    np.testing.assert_allclose((standardised.mean(), standardised.std()), (0, 1), atol=1e-6)
    rows = [float(model.tokenizer_.decode(ids)[2:]) * 100 for ids, _ in seen["train"].inputs]
    assert model.target_mean_ == pytest.approx(np.mean(rows))


def test_without_validation_the_last_epoch_is_kept(tiny, data, monkeypatch):
    seen = spy_on_training(monkeypatch)
    model = tiny.set_params(validation_fraction=0).fit(*data)
    assert seen["valid"] is None
    assert len(seen["train"]) == 64
    assert model.best_epoch_ == model.n_iter_ == 3
    assert model.validation_scores_ is None


def test_the_best_epoch_is_kept(tiny, data, monkeypatch):
    weights, losses = [], iter([0.5, 0.2, 0.9, 0.4])
    on_epoch_end = BestEpoch.on_epoch_end

    def spy(self, net, **kwargs):
        net.history.record("valid_loss", next(losses))
        weights.append({k: v.clone() for k, v in net.module_.state_dict().items()})
        on_epoch_end(self, net, **kwargs)

    monkeypatch.setattr(BestEpoch, "on_epoch_end", spy)
    model = tiny.set_params(max_epochs=4).fit(*data)
    assert model.best_epoch_ == 2
    assert model.n_iter_ == 4
    assert model.validation_scores_ == [0.5, 0.2, 0.9, 0.4]
    torch.testing.assert_close(weights_of(model), weights[1], rtol=0, atol=0)
    assert not torch.equal(weights[1]["head.0.weight"], weights[3]["head.0.weight"])


def test_patience_stops_early(tiny, data, monkeypatch, recwarn):
    losses = iter([0.5, 0.2, 0.9, 0.4, 0.1])
    on_epoch_end = BestEpoch.on_epoch_end

    def spy(self, net, **kwargs):
        net.history.record("valid_loss", next(losses))
        on_epoch_end(self, net, **kwargs)

    monkeypatch.setattr(BestEpoch, "on_epoch_end", spy)
    model = tiny.set_params(max_epochs=5, patience=2).fit(*data)
    assert (model.n_iter_, model.best_epoch_) == (4, 2)
    assert not recwarn.list


def interrupt_at(monkeypatch, n_calls):
    calls = iter(range(1, 1000))
    forward = RegressionLoss.forward

    def spy(self, outputs, targets):
        if next(calls) == n_calls:
            raise KeyboardInterrupt
        return forward(self, outputs, targets)

    monkeypatch.setattr(RegressionLoss, "forward", spy)


def test_interrupted_training_keeps_its_best_epoch(tiny, data, monkeypatch):
    # 4 training batches and 1 validation batch an epoch: call 7 is in the second epoch.
    interrupt_at(monkeypatch, 7)
    with pytest.raises(KeyboardInterrupt, match="interrupted after 1 of 3 epochs"):
        tiny.fit(*data)
    model = tiny
    assert model.n_iter_ == model.best_epoch_ == len(model.loss_curve_) == 1
    assert np.isfinite(model.predict(data[0])).all()


def test_interruption_before_an_epoch_is_not_swallowed(tiny, data, monkeypatch):
    interrupt_at(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        tiny.fit(*data)
    assert not hasattr(tiny, "net_")


def test_diverging_training_is_an_error(tiny, data):
    with pytest.raises(ValueError, match="diverged.*Lower learning_rate"):
        tiny.set_params(learning_rate=1e30).fit(*data)


def test_frozen_encoder_stays_as_it_was(tmp_path, tiny, data):
    encoder = build_encoder(tiny.encoder)
    start = load_state(save_encoder(tmp_path / "start", encoder, tiny.encoder))
    tiny.set_params(encoder=tmp_path / "start", validation_fraction=0, weight_decay=0.1)

    frozen = weights_of(tiny.set_params(freeze_epochs=3).fit(*data))
    assert all(torch.equal(frozen[f"encoder.{name}"], start[name]) for name in start)
    assert all(p.requires_grad for p in tiny.net_.module_.parameters())

    thawed = weights_of(tiny.set_params(freeze_epochs=2).fit(*data))
    moved = [name for name in start if not torch.equal(thawed[f"encoder.{name}"], start[name])]
    assert len(moved) > len(start) / 2


def load_state(folder):
    from sklearn_cloud.encoder import load_encoder

    return load_encoder(folder).weights


def test_training_starts_from_the_checkpoint(tmp_path, tiny, data):
    encoder = build_encoder(tiny.encoder)
    save_encoder(tmp_path / "start", encoder, tiny.encoder)
    tiny.set_params(encoder=str(tmp_path / "start"), learning_rate=1e-12, validation_fraction=0)
    trained, start = weights_of(tiny.fit(*data)), load_state(tmp_path / "start")
    for name, tensor in start.items():
        torch.testing.assert_close(trained[f"encoder.{name}"], tensor, rtol=0, atol=1e-9)


def test_weight_decay_spares_biases_and_layer_norms(tiny, data):
    # At a vanishing gradient scale only the decay would move a weight.
    from sklearn_cloud.encoder import CloudModule
    from sklearn_cloud.training.net import build_net

    net = build_net(
        CloudModule, {"config": tiny.encoder}, torch.nn.L1Loss, "cpu", optimizer__weight_decay=0.5,
        optimizer=torch.optim.AdamW, optimizer__param_groups=base_groups(),
    ).initialize()  # fmt: skip
    names = {id(p): name for name, p in net.module_.named_parameters()}
    for group in net.optimizer_.param_groups:
        for parameter in group["params"]:
            name = names[id(parameter)]
            spared = name.endswith(".bias") or name.endswith("LayerNorm.weight")
            assert group["weight_decay"] == (0.0 if spared else 0.5), name


def base_groups():
    from sklearn_cloud.training.net import NO_DECAY

    return NO_DECAY


def test_schedule_warms_up_and_ends_at_zero():
    factors = [warmup_cosine(step, 10, 100) for step in range(101)]
    assert factors[0] > 0
    assert factors[10] == 1.0
    assert all(np.diff(factors[:11]) > 0)
    assert all(np.diff(factors[10:]) < 0)
    assert factors[100] == pytest.approx(0.0, abs=1e-12)
    assert factors[55] == pytest.approx(0.5)


def test_rows_without_weight_are_as_good_as_absent(tiny, data):
    strings, y = make_strings(40, seed=1)[0] + data[0], np.r_[np.full(40, 50.0), data[1]]
    weights = np.r_[np.zeros(40), np.ones(64)]
    tiny.set_params(validation_fraction=0)
    weighted = tiny.fit(strings, y, weights).predict(data[0])
    assert (weighted == tiny.fit(*data).predict(data[0])).all()


def test_sample_weights_move_the_predictions(tiny):
    strings, y = ["O 1.0", "Li 1.0"] * 40, np.r_[np.zeros(40), np.ones(40)]
    tiny.set_params(max_epochs=10, dropout=0.0)
    light, heavy = (
        tiny.fit(strings, y, np.r_[np.ones(40), np.full(40, weight)]).predict(["O 1.0"])[0]
        for weight in (0.1, 10.0)
    )
    assert light < 0.2
    assert heavy > 0.8
    uniform = tiny.fit(strings, y).predict(strings)
    assert (uniform == tiny.fit(strings, y, np.full(80, 7.0)).predict(strings)).all()


def test_truncation_keeps_the_end_token(tiny, data):
    config = EncoderConfig(n_layers=1, n_heads=2, width=32, max_positions=12)
    model = tiny.set_params(encoder=config, on_too_long="truncate").fit(*data)
    assert {len(ids) for ids in model._tokenize(data[0])} == {12}
    assert {ids[-1] for ids in model._tokenize(data[0])} == {model.tokenizer_.sep_id}


def test_progress_bar_on_request(tiny, data, capsys):
    tiny.fit(*data).predict(data[0])
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    tiny.set_params(verbose=1).fit(*data).predict(data[0])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "CloudRegressor" in captured.err
    assert "12/12" in captured.err
    assert "valid_loss" in captured.err


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16"])
def test_every_precision_learns(tiny, precision):
    strings, oxygen = make_strings(300)
    tiny.set_params(precision=precision, max_epochs=25, dropout=0.0)
    assert tiny.fit(strings, oxygen).score(strings, oxygen) > 0.8


@pytest.mark.parametrize(
    ("params", "share"),
    [({"loss": "quantile", "quantile": 0.9}, 0.9), ({"loss": "quantile", "quantile": 0.1}, 0.1)],
)
def test_quantiles_of_noise(tiny, params, share):
    """One string, a target that is noise: the quantile is all that can be learned."""
    y = np.random.RandomState(0).normal(size=400)
    model = clone(tiny).set_params(max_epochs=30, validation_fraction=0, **params)
    predicted = model.fit(["Na 0.5 Cl 0.5"] * 400, y).predict(["Na 0.5 Cl 0.5"])
    assert np.mean(y < predicted) == pytest.approx(share, abs=0.06)


def test_squared_errors_give_the_mean(tiny):
    y = np.array([0.0, 0.0, 0.0, 1.0] * 50)
    means = {
        loss: clone(tiny)
        .set_params(loss=loss, max_epochs=30, validation_fraction=0)
        .fit(["Na 0.5 Cl 0.5"] * 200, y)
        .predict(["Na 0.5 Cl 0.5"])[0]
        for loss in ("absolute", "squared")
    }
    assert means["squared"] == pytest.approx(0.25, abs=0.05)
    assert means["absolute"] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(("name", "value"), [("loss", "huber"), ("quantile", 1.0)])
def test_impossible_losses(tiny, data, name, value):
    with pytest.raises(ValueError, match=f"'{name}'"):
        tiny.set_params(**{name: value}).fit(*data)


def test_parameters_may_be_numbers_of_numpy(tiny, data):
    integers = ("max_epochs", "batch_size", "random_state", "verbose", "freeze_epochs")
    reals = ("learning_rate", "dropout", "weight_decay", "warmup_ratio", "validation_fraction")
    params = tiny.get_params()
    numbers = {name: np.int64(params[name]) for name in integers}
    numbers |= {name: np.float64(params[name]) for name in reals}
    size = {"n_layers": np.int64(1), "n_heads": np.int32(2), "width": np.int64(32)}
    model = clone(tiny).set_params(
        encoder=EncoderConfig(**size, dropout=np.float64(0.1)), **numbers
    )
    expected = tiny.fit(*data).predict(data[0])
    assert (model.fit(*data).predict(data[0]) == expected).all()
    assert type(model.max_epochs) is np.int64


@pytest.mark.parametrize("size", [1e-12, 1e150])
def test_targets_of_any_size(fitted, data, size):
    """To the bit for powers of two; the network sees the same numbers."""
    power = 2.0 ** np.round(np.log2(size))
    model = clone(fitted).fit(data[0], power * data[1])
    np.testing.assert_array_equal(model.predict(data[0]), power * fitted.predict(data[0]))


def test_epochs_for_large_tables():
    from sklearn_cloud.estimators.cloud import affordable_epochs

    assert [affordable_epochs(n, 32) for n in (1, 600, 5_120, 10_240, 100_000)] == [
        50, 50, 50, 25, 2,
    ]  # fmt: skip
    model = CloudRegressor(EncoderConfig(n_layers=1, n_heads=2, width=16), random_state=0)
    strings = ["1a Na 1b Cl | Na 0.5 Cl 0.5", "8a Si | Si 1.0"] * 4
    assert model.fit(strings, np.arange(8.0)).n_iter_ == 50
    with pytest.raises(ValueError, match="max_epochs"):
        model.set_params(max_epochs="many").fit(strings, np.arange(8.0))
