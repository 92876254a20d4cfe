"""Small fitted models, for the tests of displays and of explanations."""

import matplotlib
import numpy as np
import pytest

from sklearn_cloud.encoder import EncoderConfig

matplotlib.use("Agg")

STRINGS = [
    "0 1 b O O O 0 | 1a Na 1b Cl | Na 0.5 Cl 0.5",
    "0 1 b O O O 0 | 1a K 1b Cl | K 0.5 Cl 0.5",
    "1 2 b O O O e O O O 0 | 8a Si | Si 1.0",
    "1 2 b O O O e O O O 0 | 8a Ge | Ge 1.0",
    "4a Zn 4c S | Zn 0.5 S 0.5",
]


@pytest.fixture(scope="session")
def tiny():
    return EncoderConfig(n_layers=2, n_heads=2, width=16)


@pytest.fixture(scope="session")
def strings():
    return STRINGS


@pytest.fixture(scope="session")
def regressor(tiny):
    """A fitted regressor on strings; tests must not change it."""
    from sklearn_cloud import CloudRegressor

    gaps = np.array([8.5, 8.4, 1.1, 0.7, 3.6] * 6)
    model = CloudRegressor(tiny, max_epochs=20, learning_rate=1e-2, random_state=0)
    return model.fit(STRINGS * 6, gaps)


@pytest.fixture(scope="session")
def classifier(tiny):
    """A fitted classifier on strings; tests must not change it."""
    from sklearn_cloud import CloudClassifier

    labels = ["wide", "wide", "narrow", "narrow", "wide"] * 6
    model = CloudClassifier(tiny, max_epochs=8, learning_rate=1e-2, random_state=0)
    return model.fit(STRINGS * 6, labels)


@pytest.fixture(scope="session")
def embedder(tiny):
    from sklearn_cloud import CloudEmbedder

    return CloudEmbedder(tiny).fit(STRINGS)


@pytest.fixture(scope="session")
def crystals():
    """Eight crystals of the example table and their band gaps in eV."""
    from sklearn_cloud.datasets import load_example

    structures, gaps = load_example(return_X_y=True)
    return structures[:8], gaps[:8]


@pytest.fixture(scope="session")
def pipeline(tiny, crystals):
    """A fitted pipeline from crystals to predictions; tests must not change it."""
    from sklearn.pipeline import make_pipeline

    from sklearn_cloud import CloudRegressor, SymmetryStringTransformer

    model = CloudRegressor(tiny, max_epochs=2, validation_fraction=0, random_state=0)
    return make_pipeline(SymmetryStringTransformer(), model).fit(*crystals)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    matplotlib.pyplot.close("all")
