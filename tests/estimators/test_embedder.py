import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from oxides import make_strings
from pymatgen.core import Lattice, Structure
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data
from test_contract import TINY, row_to_string

from sklearn_cloud import CloudEmbedder, SymmetryStringTransformer
from sklearn_cloud.encoder import (
    EncoderConfig,
    SymmetryTokenizer,
    build_encoder,
    load_encoder,
    save_encoder,
)
from sklearn_cloud.estimators import embedder as embedder_module

CONFIG = EncoderConfig(n_layers=2, n_heads=2, width=32)
STRINGS = make_strings(150)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of an encoder with weights larger than at the start of a training."""
    encoder = build_encoder(CONFIG)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return save_encoder(tmp_path_factory.mktemp("weights") / "encoder", encoder, CONFIG)


class NumericCloudEmbedder(CloudEmbedder):
    """CloudEmbedder on rows of numbers."""

    def fit(self, X, y=None):
        X = validate_data(self, X)
        return super().fit([row_to_string(row) for row in X])

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        return super().transform([row_to_string(row) for row in X])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


@parametrize_with_checks([NumericCloudEmbedder(TINY), NumericCloudEmbedder(TINY, pooling="mean")])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_vectors_are_those_of_the_encoder(folder, pooling):
    model = CloudEmbedder(folder, pooling=pooling).fit(STRINGS)
    vectors = model.transform(STRINGS)
    assert vectors.shape == (150, 32)
    assert vectors.dtype == np.float32
    encoder = build_encoder(CONFIG)
    encoder.load_state_dict(model.encoder_.state_dict())
    encoder.eval().double()
    for row in (0, 17, 149):
        ids = torch.tensor([SymmetryTokenizer().encode(STRINGS[row])])
        with torch.no_grad():
            hidden = encoder(ids).last_hidden_state[0].numpy()
        expected = hidden[0] if pooling == "cls" else hidden.mean(axis=0)
        np.testing.assert_allclose(vectors[row], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_vectors_depend_neither_on_batches_nor_on_order(folder, pooling, batch_size):
    strings = STRINGS[:40]
    model = CloudEmbedder(folder, pooling=pooling).fit(strings)
    expected = model.transform(strings)
    model.set_params(batch_size=batch_size)
    vectors = model.transform(strings)
    # The numbers are of order 1 and different strings differ: rounding is all that may change.
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=5e-6)
    distances = np.abs(expected[:, None] - expected[None]).max(axis=2)
    assert np.median(distances) > 0.1
    order = np.random.RandomState(0).permutation(80) % 40
    assert (model.transform([strings[i] for i in order]) == vectors[order]).all()


def test_distinct_strings_are_computed_once(folder, monkeypatch):
    rows = []
    pool = embedder_module.POOLING["cls"]
    monkeypatch.setitem(
        embedder_module.POOLING,
        "cls",
        lambda encoder, ids, mask: rows.append(tuple(ids.shape)) or pool(encoder, ids, mask),
    )
    CloudEmbedder(folder, batch_size=32).fit(STRINGS).transform(STRINGS * 3)
    assert sum(n for n, _ in rows) == len(set(STRINGS))
    lengths = [length for _, length in rows]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > 1


def test_random_weights_must_be_asked_for():
    with pytest.raises(ValueError, match="EncoderConfig for random weights.*got None"):
        CloudEmbedder(None).fit(STRINGS)
    assert CloudEmbedder(CONFIG).fit(STRINGS).transform(STRINGS).shape == (150, 32)


def test_the_default_is_the_bundled_encoder():
    model = CloudEmbedder().fit(STRINGS)
    weights = load_encoder("mini").weights
    assert all(torch.equal(model.encoder_.state_dict()[k], v) for k, v in weights.items())
    assert model.transform(STRINGS[:3]).shape == (3, 128)


def test_random_weights_are_always_the_same():
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = CloudEmbedder(CONFIG).fit_transform(STRINGS)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    assert (CloudEmbedder(CONFIG).fit_transform(STRINGS) == first).all()


@pytest.mark.parametrize("dump", [False, True])
def test_pickle_gives_the_same_vectors(folder, tmp_path, dump):
    model = CloudEmbedder(str(folder), pooling="mean").fit(STRINGS)
    expected = model.transform(STRINGS)
    model.set_params(encoder="a folder that is gone")
    state = torch.get_rng_state()
    if dump:
        joblib.dump(model, tmp_path / "model")
        copy = joblib.load(tmp_path / "model")
    else:
        copy = pickle.loads(pickle.dumps(model))
    assert torch.equal(torch.get_rng_state(), state)
    assert (copy.transform(STRINGS) == expected).all()
    arrays = model.__getstate__()["encoder_"]
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    n_bytes = sum(array.nbytes for array in arrays.values())
    assert len(pickle.dumps(model)) < n_bytes + 20_000
    assert not hasattr(clone(model), "encoder_")
    assert not hasattr(pickle.loads(pickle.dumps(clone(model))), "encoder_")


def test_embedder_from_a_gpu_loads_without_one(folder, monkeypatch):
    model = CloudEmbedder(folder).fit(STRINGS)
    model.device, model.device_ = "cuda", "cuda"
    state = pickle.dumps(model)
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available=False: None
    )
    with pytest.warns(UserWarning, match="No cuda device"):
        copy = pickle.loads(state)
    assert copy.device_ == "cpu"
    assert copy.transform(STRINGS).shape == (150, 32)


def test_pickle_of_another_state_version_is_refused(folder):
    state = CloudEmbedder(folder).fit(STRINGS).__getstate__()
    state["_versions"] = {**state["_versions"], "state": 99}
    with pytest.raises(ValueError, match="saved by unknown versions"):
        CloudEmbedder().__setstate__(state)


def test_names_and_pandas(folder):
    model = CloudEmbedder(folder).fit(STRINGS)
    names = [f"cloudembedder{i}" for i in range(32)]
    assert model.get_feature_names_out().tolist() == names
    table = pd.DataFrame({"string": STRINGS}, index=range(5, 155))
    vectors = clone(model).set_output(transform="pandas").fit_transform(table)
    assert vectors.columns.tolist() == names
    assert vectors.index.tolist() == table.index.tolist()
    assert (vectors.to_numpy() == model.transform(STRINGS)).all()
    assert (vectors.dtypes == np.float32).all()


@pytest.mark.parametrize(
    "convert",
    [
        tuple,
        np.array,
        lambda x: np.array(x, dtype=object)[:, None],
        lambda x: pd.Series(x, dtype="string"),
    ],
)
def test_containers_of_strings_are_alike(folder, convert):
    model = CloudEmbedder(folder).fit(STRINGS)
    assert (model.transform(convert(STRINGS)) == model.transform(STRINGS)).all()


def test_crystals_in_a_pipeline(folder):
    rocksalt = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    anions = np.array(rocksalt) + [0.5, 0, 0]
    crystals = [
        Structure(Lattice.cubic(5.6), [cation] * 4 + ["F"] * 4, [*rocksalt, *anions])
        for cation in ("Li", "Na", "K", "Rb")
    ]
    model = make_pipeline(SymmetryStringTransformer(), CloudEmbedder(folder), LinearRegression())
    y = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(model.fit(crystals, y).predict(crystals), y, atol=0.01)
    model = make_pipeline(
        SymmetryStringTransformer(), CloudEmbedder(folder), KMeans(2, n_init=1, random_state=0)
    )
    assert set(model.fit_predict(crystals)) == {0, 1}
    with pytest.raises(
        TypeError,
        match="Row 0 of X is of type Structure.*SymmetryStringTransformer.., CloudEmbedder",
    ):
        CloudEmbedder(folder).fit(crystals)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"encoder": "no-such-encoder"}, "no-such-encoder"),
        ({"pooling": "max"}, "pooling"),
        ({"batch_size": 0}, "batch_size"),
        ({"on_too_long": "cut"}, "on_too_long"),
        ({"device": "no-such-device"}, "device"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        CloudEmbedder(**{"encoder": CONFIG, **params}).fit(STRINGS)


def test_strings_that_cannot_be_read(folder):
    model = CloudEmbedder(folder).fit(STRINGS)
    with pytest.raises(ValueError, match="Row 1: Token 'NaCl'"):
        model.transform(["O 1.0", "NaCl"])
    with pytest.raises(TypeError, match=r"no string in 1 of 2 rows, \[1\]"):
        model.transform(["O 1.0", None])
    with pytest.raises(ValueError, match="0 sample"):
        model.fit([])
    with pytest.raises(NotFittedError):
        CloudEmbedder(folder).transform(STRINGS)


def test_too_long_strings():
    config = EncoderConfig(n_layers=1, n_heads=2, width=16, max_positions=8)
    strings = ["O 1.0", "0 3 a D D O 0 | O 1.0"]
    model = CloudEmbedder(config).fit(strings)
    with pytest.raises(ValueError, match="row 1 of X has 12 tokens"):
        model.transform(strings)
    model.set_params(on_too_long="truncate")
    assert np.isfinite(model.transform(strings)).all()


def test_progress_bar_on_request(folder, capsys):
    model = CloudEmbedder(folder).fit(STRINGS)
    model.transform(STRINGS)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    model.set_params(verbose=1).transform(STRINGS)
    assert "CloudEmbedder.transform" in capsys.readouterr().err
