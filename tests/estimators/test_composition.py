"""CloudRegressor inside scikit-learn's own machinery."""

import numpy as np
import pytest
from oxides import make_strings
from pymatgen.core import Lattice, Structure
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import StackingRegressor, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sklearn_cloud import SymmetryStringTransformer


def crystals():
    rocksalt = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    anions = np.array(rocksalt) + [0.5, 0, 0]
    return [
        Structure(Lattice.cubic(a), [cation] * 4 + [anion] * 4, [*rocksalt, *anions])
        for cation, a in (("Li", 5.1), ("Na", 5.6), ("K", 6.3), ("Rb", 6.6))
        for anion in ("F", "Cl", "Br", "I")
    ]


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_crystals_in_a_pipeline(tiny, output):
    structures, gaps = crystals(), np.linspace(5, 13, 16)
    model = make_pipeline(SymmetryStringTransformer().set_output(transform=output), tiny)
    results = cross_validate(model, structures, gaps, cv=2, scoring="neg_mean_absolute_error")
    assert (results["test_score"] < 0).all()
    assert model.fit(structures, gaps).predict(structures).shape == (16,)


class Strip(TransformerMixin, BaseEstimator):
    """A stand-in for the step that makes the strings: rows with spaces around them."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.array([string.strip() for string in X], dtype=object)


def test_grid_search(tiny, data):
    search = GridSearchCV(tiny, {"head_layers": [1, 2], "learning_rate": [1e-4, 3e-3]}, cv=2)
    search.fit(*data)
    assert search.best_params_["head_layers"] in (1, 2)
    assert len(search.cv_results_["params"]) == 4
    assert search.predict(data[0]).shape == (64,)


def test_transformed_target(tiny, data):
    model = TransformedTargetRegressor(tiny, func=np.log, inverse_func=np.exp).fit(*data)
    assert (model.predict(data[0]) > 0).all()
    assert model.regressor_.target_mean_ < np.log(6)


@pytest.mark.parametrize("ensemble", [StackingRegressor, VotingRegressor])
def test_ensembles(tiny, data, ensemble):
    model = ensemble([("cloud", tiny), ("mean", DummyRegressor())]).fit(*data)
    assert model.predict(data[0]).shape == (64,)


def test_pipeline_with_memory(tiny, data, tmp_path):
    strings = [f" {string} " for string in data[0]]
    model = make_pipeline(Strip(), tiny, memory=str(tmp_path)).fit(strings, data[1])
    assert (model.predict(strings) == model[-1].predict(data[0])).all()


def test_other_meta_estimators(tiny, data):
    y = np.column_stack([data[1], -data[1]])
    assert MultiOutputRegressor(tiny).fit(data[0], y).predict(data[0]).shape == (64, 2)
    assert cross_val_predict(tiny, *data, cv=2).shape == (64,)


def test_tags(tiny):
    tags = get_tags(tiny)
    assert tags.estimator_type == "regressor"
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array and tags.input_tags.two_d_array  # numbers next to it
    assert tags.target_tags.required
    assert tags.target_tags.multi_output


def test_refit_replaces_the_former_fit(tiny, data):
    strings, oxygen = make_strings(40, seed=1)
    expected = tiny.fit(*data).predict(data[0])
    tiny.fit(strings, np.column_stack([oxygen, oxygen]))
    assert tiny.predict(strings).shape == (40, 2)
    assert (tiny.fit(*data).predict(data[0]) == expected).all()


def test_failed_refit_leaves_no_former_network(tiny, data):
    tiny.fit(*data)
    with pytest.raises(ValueError, match="y contains NaN"):
        tiny.fit(data[0], np.full(64, np.nan))
    with pytest.raises(NotFittedError):
        tiny.predict(data[0])
