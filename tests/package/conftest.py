import numpy as np
import pytest
from cli_tables import PAIRS, cscl, write_table

from sklearn_cloud.__main__ import main
from sklearn_cloud.encoder import EncoderConfig, build_encoder, save_encoder


@pytest.fixture
def own_folder(monkeypatch, tmp_path):
    """A folder to work in, with a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKLEARN_CLOUD_DATA", str(tmp_path / "data_home"))


@pytest.fixture
def crystals(tmp_path):
    """A folder with twelve CIF files, one of them in a subfolder, and `targets.csv` next to it."""
    folder = tmp_path / "crystals"
    (folder / "more").mkdir(parents=True)
    rows = []
    for number, (cation, anion) in enumerate(PAIRS):
        name = f"{'more/' * (number == 11)}{cation}{anion}.cif"
        cscl(cation, anion).to(str(folder / name), fmt="cif")
        rows.append([f"{number:03}", f"crystals/{name}", 8.5 - 0.5 * number, number % 3 == 0])
    write_table(tmp_path / "targets.csv", ["id", "file", "gap", "metal"], rows)
    return folder


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """Folder of an encoder that trains in a moment."""
    config = EncoderConfig(n_layers=1, n_heads=2, width=16)
    return str(save_encoder(tmp_path_factory.mktemp("encoder"), build_encoder(config), config))


@pytest.fixture
def fit(encoder, crystals):
    """Fit on `targets.csv`, or another table, and return the exit code."""

    def run(output, *options, table="targets.csv", target="gap"):
        quick = ["--model", "cloud", "--encoder", encoder, "--epochs", "2", "--quiet"]
        return main(["fit", table, "--target", target, "-o", output, *quick, *options])

    return run


@pytest.fixture
def no_training(monkeypatch):
    """Fail where a training begins: the error must come before."""

    def refuse(*arguments, **options):
        raise AssertionError("the training began")

    monkeypatch.setattr("sklearn_cloud.training.estimator.train_net", refuse)


@pytest.fixture
def assert_close():
    return lambda found, expected: np.testing.assert_allclose(
        np.array(found, dtype=float), expected, rtol=1e-5
    )
