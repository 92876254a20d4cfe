"""The predictors in the package, as many as there are."""

import math

import numpy as np
import pytest

from sklearn_cloud.datasets import load_example
from sklearn_cloud.predictors import list_predictors, load_card, load_predictor
from sklearn_cloud.predictors.loading import DATA
from sklearn_cloud.predictors.properties import PROPERTIES
from sklearn_cloud.predictors.recipe import describe_property

LARGEST = 25e6  # bytes of all predictors
NAMES = list_predictors()


def test_folders_are_properties():
    folders = [path.name for path in DATA.iterdir()] if DATA.is_dir() else []
    assert sorted(folders) == sorted(NAMES)
    size = sum(path.stat().st_size for path in DATA.rglob("*")) if DATA.is_dir() else 0
    assert size <= LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_predictions_of_example_crystals(name):
    predictor = load_predictor(name)
    crystals = load_example().structures[:3]
    described = predictor._describe_all(crystals)
    found = predictor.predict_described(described)
    assert np.isfinite(found["value"]).all()
    if predictor.card["kind"] == "regression":
        assert (found["lower"] <= found["value"]).all() and (found["value"] <= found["upper"]).all()


@pytest.mark.parametrize("name", NAMES)
def test_cards_say_what_the_table_of_properties_says(name):
    card, prop = load_card(name), PROPERTIES[name]
    texts = describe_property(prop)
    assert {key: card[key] for key in texts} == texts
    assert math.isfinite(card["scores"].get("mae", card["scores"].get("accuracy")))
    assert str(card) and card.to_rst()
