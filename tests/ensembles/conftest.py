import numpy as np
import pytest
from small_members import classification, regression

from sklearn_cloud.datasets import load_example
from sklearn_cloud.ensembles import crystal_classifier, crystal_regressor


@pytest.fixture(autouse=True)
def small_members(monkeypatch):
    """Members that are fitted in a moment."""
    monkeypatch.setattr(crystal_regressor, "regression_members", regression)
    monkeypatch.setattr(crystal_classifier, "classification_members", classification)


@pytest.fixture(scope="session")
def table():
    """A hundred example crystals, their formulas and band gaps."""
    data = load_example()
    rows = np.arange(0, len(data.target), 3)
    return (
        data.structures[rows],
        [s.reduced_formula for s in data.structures[rows]],
        data.target[rows],
    )
