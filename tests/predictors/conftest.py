import numpy as np
import pytest
from sklearn.model_selection import KFold
from sklearn.utils import Bunch
from tiny_predictors import write_tiny_predictors

from sklearn_cloud.datasets import load_example
from sklearn_cloud.predictors import loading


def table(crystals, target, task, unit):
    """A table as `fetch_matbench` returns it."""
    folds = list(KFold(3, shuffle=True, random_state=0).split(target))
    return Bunch(
        structures=crystals,
        target=target,
        ids=np.array([f"mb-{task}-{row + 1:03d}" for row in range(len(target))]),
        folds=folds,
        n_official=len(target),
        unit=unit,
    )


@pytest.fixture(scope="session")
def crystals():
    data = load_example()
    return data.structures[::4], data.target[::4]


@pytest.fixture(scope="session")
def tables(crystals):
    structures, gaps = crystals
    formulas = np.array([s.reduced_formula for s in structures], dtype=object)
    moduli = table(structures, np.log10(gaps + 10), "log_kvrh", "log10(GPa)")
    return {
        "bulk_modulus": moduli,
        "shear_modulus": moduli,
        "highest_phonon_peak": table(structures, gaps * 100 + 50, "phonons", "1/cm"),
        "experimental_band_gap": table(formulas, gaps, "expt_gap", "eV"),
        "experimental_is_metal": table(formulas, gaps < 1.5, "expt_is_metal", None),
    }


@pytest.fixture(scope="session")
def tiny(tables, tmp_path_factory):
    """A folder of predictors, what their training returned, and their rows that were left out."""
    folder = tmp_path_factory.mktemp("predictors")
    return folder, write_tiny_predictors(folder, tables)


@pytest.fixture
def data(tiny, monkeypatch):
    """The folder of predictors, in the place of the one in the package."""
    monkeypatch.setattr(loading, "DATA", tiny[0])
    return tiny[0]
