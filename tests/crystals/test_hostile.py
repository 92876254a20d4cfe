"""Whatever is done to an item, it is a crystal or a CrystalError, and nothing else happens."""

import importlib
import random
import warnings
from pathlib import Path

import pytest

from sklearn_cloud import CrystalError
from sklearn_cloud.crystals import read_crystal

SCRIPTS = Path(__file__).parents[2] / "benchmarks/maintenance"


@pytest.fixture
def inputs(monkeypatch):
    """How the script for maintainers damages things."""
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("fuzz_inputs")


def is_read(item):
    try:
        read_crystal(item, notes=[])
    except CrystalError as error:
        assert 0 < len(str(error)) < 500
        return False
    return True


@pytest.mark.parametrize("kind", ["cif", "poscar"])
def test_damaged_texts(kind, crystals, inputs):
    rng = random.Random(0)
    texts = [structure.to(fmt=kind) for structure in crystals.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = [is_read(inputs.damage_text(rng.choice(texts), rng)) for _ in range(400)]
    assert any(read) and not all(read)


def test_damaged_dictionaries(crystals, inputs):
    rng = random.Random(0)
    records = [structure.as_dict() for structure in crystals.values()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = [is_read(inputs.damage_record(rng.choice(records), rng)) for _ in range(400)]
    assert any(read) and not all(read)


def test_damaged_formulas(inputs):
    rng = random.Random(0)
    formulas = ["CuSO4·5H2O", "Al2(SO4)3.18H2O", "Fe0.62C0.001Mn0.2", "[Fe(CN)6]K3"]
    read = [is_read(inputs.damage_text(rng.choice(formulas), rng)) for _ in range(400)]
    assert any(read) and not all(read)
