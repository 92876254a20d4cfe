"""Every bad input has its error, which names the row and the way out."""

import numpy as np
import pandas as pd
import pytest
import torch
from pymatgen.core import Lattice, Structure
from sklearn.exceptions import NotFittedError

from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor

CRYSTAL = Structure(Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
GOOD = ["O 1.0", "Na 0.5 Cl 0.5", "4a 8b | O 1.0"]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([CRYSTAL, CRYSTAL], "Row 0 of X is of type Structure.*SymmetryStringTransformer"),
        ([*GOOD, CRYSTAL], "Row 3 of X is of type Structure.*SymmetryStringTransformer"),
        (CRYSTAL, "got Structure.*SymmetryStringTransformer"),
        (["O 1.0", None], r"no string in 1 of 2 rows, \[1\]"),
        (["O 1.0", float("nan")], "Row 1 of X is nan"),
        (pd.Series(["O 1.0", None]), r"no string in 1 of 2 rows, \[1\]"),
        (["O 1.0", 3], "Row 1 of X is 3"),
        ([b"O 1.0"], "Row 0 of X is of type bytes"),
        ([["O 1.0"]], "Row 0 of X is of type list"),
        ("O 1.0", "got str"),
        (None, "got NoneType"),
        (np.zeros(3), "Row 0 of X is"),
    ],
)
def test_what_is_not_a_string(tiny, fitted, X, message):
    with pytest.raises(TypeError, match=message):
        tiny.fit(X, np.arange(3.0))
    with pytest.raises(TypeError, match=message):
        fitted.predict(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "0 sample"),
        (np.empty((0, 1), dtype=object), "0 sample"),
        (np.array([GOOD, GOOD], dtype=object), "3 columns of text among 3"),
        (["O 1.0", "O 1.5"], "Row 1: Token '1.5' at position 1 of 'O 1.5'"),
        (["O 1.0", "NaCl"], "Row 1: Token 'NaCl' at position 0"),
        (["O 1.0", ""], "Row 1: Token '' at position 0"),
    ],
)
def test_strings_that_cannot_be_read(tiny, fitted, X, message):
    with pytest.raises(ValueError, match=message):
        tiny.fit(X, np.arange(float(len(X))))
    with pytest.raises(ValueError, match=message):
        fitted.predict(X)


def test_too_long_strings(tiny):
    config = EncoderConfig(n_layers=1, n_heads=2, width=16, max_positions=8)
    long = "0 3 a D D O 0 | O 1.0"
    message = "row 1 of X has 12 tokens.*at most 8 .2 such rows.*truncate.*max_positions"
    tiny.set_params(encoder=config)
    with pytest.raises(ValueError, match=message):
        tiny.fit(["O 1.0", long, long], np.arange(3.0))
    tiny.fit(GOOD, np.arange(3.0))
    with pytest.raises(ValueError, match=message):
        tiny.predict(["O 1.0", long, long])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1.0, np.nan, 3.0], "y contains NaN in row 1 .1 rows"),
        ([1.0, 2.0, np.inf], "y contains infinity in row 2"),
        ([[1.0, 2.0], [np.nan, np.nan], [3.0, 4.0]], "y contains NaN in row 1"),
        ([1.0, 2.0], "X has 3 rows, y has 2"),
        (["a", "b", "c"], "could not convert"),
        (None, "requires y to be passed"),
        (np.zeros((3, 1, 1)), "dim 3"),
    ],
)
def test_bad_targets(tiny, y, message):
    with pytest.raises(ValueError, match=message):
        tiny.fit(GOOD, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 1.0], "sample_weight has 2"),
        ([1.0, -1.0, 1.0], "negative"),
        ([0.0, 0.0, 0.0], "not zero in every row"),
        ([1.0, np.nan, 1.0], "NaN"),
        (np.ones((3, 2)), "1D"),
    ],
)
def test_bad_weights(tiny, weights, message):
    with pytest.raises(ValueError, match=message):
        tiny.fit(GOOD, np.arange(3.0), sample_weight=weights)


@pytest.mark.parametrize(
    "params",
    [
        {"head_layers": 0},
        {"head_width": 0},
        {"dropout": 1.0},
        {"max_epochs": 0},
        {"learning_rate": 0.0},
        {"batch_size": 0},
        {"weight_decay": -1.0},
        {"warmup_ratio": 1.5},
        {"freeze_epochs": -1},
        {"validation_fraction": 1.0},
        {"patience": 0},
        {"on_too_long": "cut"},
        {"precision": "fp16"},
        {"random_state": "seed"},
        {"encoder": "no-such-encoder"},
        {"device": "no-such-device"},
    ],
)
def test_bad_parameters_are_named(tiny, params):
    tiny.set_params(**params)
    with pytest.raises(ValueError, match=f"{next(iter(params))}|no-such-encoder"):
        tiny.fit(GOOD, np.arange(3.0))


def test_parameters_are_checked_in_fit_only():
    CloudRegressor(encoder="no-such-encoder", dropout=7, device="cuda")


def test_validation_needs_a_row_to_train_on(tiny):
    with pytest.raises(ValueError, match="n_samples=1 is too small.*validation_fraction=0"):
        tiny.fit(GOOD[:1], [1.0])
    tiny.set_params(validation_fraction=0).fit(GOOD[:1], [1.0])
    assert tiny.predict(GOOD).shape == (3,)


def test_predict_before_fit(tiny):
    with pytest.raises(NotFittedError):
        tiny.predict(GOOD)
    with pytest.raises(NotFittedError):
        tiny.save_pretrained("nowhere")


def test_absent_cuda_is_an_error(tiny, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(
        torch.accelerator, "current_accelerator", lambda check_available=False: None
    )
    with pytest.raises(ValueError, match="device='cuda'.*device=None"):
        tiny.set_params(device="cuda").fit(GOOD, np.arange(3.0))
    assert tiny.set_params(device=None).fit(GOOD, np.arange(3.0)).device_ == "cpu"
