import numpy as np
import pytest

from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor

CATIONS = ("Li", "Na", "K", "Mg", "Ca", "Ti", "Fe", "Zn")
GENERATORS = ("0 3 a D D O b O O O j O O O 0", "1 2 b O O O e O O O 0", "0 1 b O O O 0")


def make_strings(n, seed=0):
    """Oxides with a random cation, oxygen fraction and symmetry; lengths differ."""
    rng = np.random.RandomState(seed)
    strings, oxygen = [], []
    for _ in range(n):
        fraction = rng.randint(10, 90) / 100
        strings.append(
            f"{rng.choice(GENERATORS)} | {rng.choice(['4a', '2a 2b', '8c'])} | "
            f"{rng.choice(CATIONS)} {round(1 - fraction, 2)} O {fraction}"
        )
        oxygen.append(fraction)
    return strings, np.array(oxygen)


@pytest.fixture(scope="session")
def data():
    """64 strings and a target that depends on the composition."""
    strings, oxygen = make_strings(64)
    return strings, 3.0 + 2.0 * oxygen


@pytest.fixture
def tiny():
    """An unfitted regressor that trains in a fraction of a second."""
    config = EncoderConfig(n_layers=1, n_heads=2, width=32)
    return CloudRegressor(config, max_epochs=3, learning_rate=3e-3, batch_size=16, random_state=0)


@pytest.fixture(scope="session")
def fitted(data):
    """A fitted tiny regressor; tests must not change it."""
    config = EncoderConfig(n_layers=1, n_heads=2, width=32)
    return CloudRegressor(
        config, max_epochs=3, learning_rate=3e-3, batch_size=16, random_state=0
    ).fit(*data)
