import pickle

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import ProgressBar

from sklearn_cloud import CloudClassifier, ModelFolderError
from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor


def test_pickle_predicts_the_same(fitted, data):
    state = torch.get_rng_state()
    copy = pickle.loads(pickle.dumps(fitted))
    assert torch.equal(torch.get_rng_state(), state)
    assert (copy.predict(data[0]) == fitted.predict(data[0])).all()
    assert copy.loss_curve_ == fitted.loss_curve_
    assert copy.get_params() == fitted.get_params()
    again = pickle.loads(pickle.dumps(copy))
    assert (again.predict(data[0]) == fitted.predict(data[0])).all()


def test_joblib_dump(fitted, data, tmp_path):
    joblib.dump(fitted, tmp_path / "model.joblib")
    copy = joblib.load(tmp_path / "model.joblib")
    assert (copy.predict(data[0]) == fitted.predict(data[0])).all()


def test_pickle_holds_arrays_and_versions_only(fitted):
    state = fitted.__getstate__()
    assert all(isinstance(array, np.ndarray) for array in state["net_"]["weights"].values())
    assert {"sklearn-cloud", "torch", "transformers", "skorch"} <= set(state["_versions"])
    assert b"torch" not in pickle.dumps(state["net_"])
    # The weights once, no optimizer state.
    assert len(pickle.dumps(fitted)) < 1.2 * 4 * fitted.n_parameters_ + 20_000


def test_unfitted_estimators_are_pickled_and_cloned(tiny, fitted):
    assert pickle.loads(pickle.dumps(tiny)).get_params() == tiny.get_params()
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "net_")


def test_parameters_changed_after_fit_do_not_break_the_copy(tiny, data, tmp_path):
    model = tiny.fit(*data)
    expected = model.predict(data[0])
    model.set_params(head_layers=3, encoder=EncoderConfig(width=64))
    assert (pickle.loads(pickle.dumps(model)).predict(data[0]) == expected).all()
    model.save_pretrained(tmp_path)
    assert (CloudRegressor.from_pretrained(tmp_path).predict(data[0]) == expected).all()


def test_model_from_a_gpu_loads_without_one(tiny, data, monkeypatch):
    model = tiny.fit(*data)
    model.device, model.device_ = "cuda", "cuda"
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available=False: None
    )
    with pytest.warns(UserWarning, match="No cuda device"):
        copy = pickle.loads(pickle.dumps(model))
    assert copy.device_ == "cpu"
    assert copy.predict(data[0]).shape == (64,)


def test_pickle_of_another_state_version_is_refused(fitted):
    state = fitted.__getstate__()
    state["_versions"] = {**state["_versions"], "state": 99}
    with pytest.raises(ValueError, match="saved by unknown versions"):
        CloudRegressor().__setstate__(state)


@pytest.mark.parametrize("n_outputs", [None, 2])
def test_save_pretrained_predicts_the_same(tiny, data, tmp_path, n_outputs):
    y = data[1] if n_outputs is None else np.column_stack([data[1]] * n_outputs)
    model = tiny.fit(data[0], y)
    model.save_pretrained(tmp_path / "model")
    read = CloudRegressor.from_pretrained(tmp_path / "model")
    predictions = read.predict(data[0])
    assert (predictions == model.predict(data[0])).all()
    assert predictions.shape == y.shape
    assert read.get_params() == model.get_params()
    for name in ("loss_curve_", "best_epoch_", "encoder_config_", "target_scale_", "device_"):
        assert getattr(read, name) == pytest.approx(getattr(model, name)) or getattr(
            read, name
        ) == getattr(model, name)
    assert set(vars(read)) == set(vars(model))
    suffixes = {path.suffix for path in (tmp_path / "model").iterdir()}
    assert suffixes == {".json", ".safetensors"}


def test_save_pretrained_refuses_what_needs_pickle(tiny, data, tmp_path):
    model = tiny.set_params(callbacks=[ProgressBar()]).fit(*data)
    with pytest.raises(TypeError, match="callbacks.*cannot be saved without pickle"):
        model.save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_another_class_is_refused(fitted, tmp_path):
    fitted.save_pretrained(tmp_path)
    with pytest.raises(ModelFolderError, match="contains a CloudRegressor, not a CloudClassifier"):
        CloudClassifier.from_pretrained(tmp_path)


def test_pickles_of_damaged_weights_are_refused(fitted):
    for name, value, message in [
        ("head.0.weight", np.nan, "infinite or NaN"),
        ("head.0.bias", 1e30, "above 1e\\+06"),
        ("head.0.bias", None, "has shape"),
    ]:
        state = fitted.__getstate__()
        weights = dict(state["net_"]["weights"])
        array = weights[name]
        weights[name] = array[:1] if value is None else np.full_like(array, value)
        with pytest.raises(ValueError, match=message):
            CloudRegressor().__setstate__({**state, "net_": {**state["net_"], "weights": weights}})
