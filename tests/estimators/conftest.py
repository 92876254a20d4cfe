import pytest
from oxides import make_strings

from sklearn_cloud.encoder import EncoderConfig
from sklearn_cloud.estimators import CloudRegressor


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
