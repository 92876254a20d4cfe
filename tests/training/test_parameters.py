"""Parameters as fields: everything that scikit-learn, pickle and help() want of an __init__."""

import inspect
import pickle
from numbers import Integral

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_cloud import CloudClassifier, CloudRegressor, baselines
from sklearn_cloud._compat import Interval
from sklearn_cloud.baselines.cgcnn import BaseCGCNN
from sklearn_cloud.baselines.roost import BaseRoost
from sklearn_cloud.datasets import load_example
from sklearn_cloud.training.net_classifier import NetClassifier

NETWORKS = [
    CloudRegressor,
    CloudClassifier,
    baselines.RoostRegressor,
    baselines.CrabNetRegressor,
    baselines.FinderRegressor,
    baselines.WrenformerRegressor,
    baselines.MatInFormerRegressor,
    baselines.SlicesBertRegressor,
    baselines.CGCNNRegressor,
    baselines.MEGNetRegressor,
    baselines.ALIGNNRegressor,
    baselines.CoGNRegressor,
    baselines.CoNGNRegressor,
    baselines.CrysToGraphRegressor,
]


@pytest.mark.parametrize("cls", NETWORKS, ids=lambda cls: cls.__name__)
class TestParameters:
    def test_signature(self, cls):
        parameters = inspect.signature(cls).parameters
        assert sorted(parameters) == cls._get_param_names()
        kinds = {name: p.kind.name for name, p in parameters.items() if name != "encoder"}
        assert set(kinds.values()) == {"KEYWORD_ONLY"}
        assert all(p.default is not p.empty for p in parameters.values())
        assert list(parameters)[-1] == "verbose"
        with pytest.raises(TypeError, match="unexpected keyword argument 'widht'"):
            cls(widht=3)

    def test_every_parameter_is_described_and_constrained(self, cls):
        numpydoc = pytest.importorskip("numpydoc.docscrape")
        described = [one.name for one in numpydoc.ClassDoc(cls)["Parameters"]]
        assert described == list(inspect.signature(cls).parameters)
        assert "{other" not in cls.__doc__
        assert set(described) <= set(cls._parameter_constraints)

    def test_copies(self, cls):
        model = cls(max_epochs=7)
        for copy in (clone(model), pickle.loads(pickle.dumps(model))):
            assert copy.get_params() == model.get_params()
        assert repr(model) == f"{cls.__name__}(max_epochs=7)"
        assert "max_epochs" in model._repr_html_()
        assert model != clone(model) and len({model, clone(model)}) == 2


class RoostClassifier(BaseRoost, NetClassifier):
    """Roost for classes."""


class CGCNNClassifier(BaseCGCNN, NetClassifier):
    """CGCNN for classes."""


@pytest.mark.parametrize(
    "model",
    [
        RoostClassifier(width=8, n_layers=1, max_epochs=20, learning_rate=3e-3, random_state=0),
        CGCNNClassifier(atom_width=8, max_epochs=5, class_weight="balanced", random_state=0),
    ],
)
def test_a_baseline_classifies(model):
    X, y = load_example(return_X_y=True)
    X, y = list(X)[::6], np.where(y[::6] > 2, "wide", "narrow")
    model = clone(model).fit(X, y)
    assert model.classes_.tolist() == ["narrow", "wide"]
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert model.score(X, y) > np.mean(y == "narrow") - 0.2
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), probabilities)
    with pytest.raises(ValueError, match="'class_weight'"):
        clone(model).set_params(class_weight="heavy").fit(X, y)


def test_a_class_of_your_own():
    class Deep(BaseRoost, NetClassifier):
        """Roost with another default and one parameter more.

        Parameters
        ----------
        depth : int, default=1
            How deep.
        """

        depth: int = 1
        max_epochs = 3

        _parameter_constraints = {"depth": [Interval(Integral, 1, None, closed="left")]}

    assert list(inspect.signature(Deep).parameters)[:2] == ["depth", "width"]
    assert Deep().max_epochs == 3 and RoostClassifier().max_epochs == 150
    with pytest.raises(ValueError, match="'depth'"):
        Deep(depth=0).fit(["NaCl"], ["a"])
    with pytest.raises(ValueError, match="'width'"):
        Deep(width=0).fit(["NaCl"], ["a"])
