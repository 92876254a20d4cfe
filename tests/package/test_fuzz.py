"""A slice of what `benchmarks/maintenance/fuzz.py` tries: inputs of every kind, damaged."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks/maintenance"


@pytest.fixture(scope="module")
def fuzz():
    pytest.importorskip("resource", reason="needs Unix")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        yield importlib.import_module("fuzz")


@pytest.fixture(scope="module")
def seeds(fuzz, tmp_path_factory):
    return fuzz.Seeds(tmp_path_factory.mktemp("seeds"))


def test_every_input_is_a_result_or_a_documented_error(fuzz, seeds, capfd):
    outcomes = Counter()
    for number in range(200):
        kind, outcome, problem = fuzz.try_input(seeds, 17, number)
        assert not problem, (number, kind, problem)
        outcomes[kind, outcome == "result"] += 1
    assert {kind for kind, _ in outcomes} == set(fuzz.KINDS)
    assert min(outcomes[kind, False] for kind in fuzz.KINDS) > 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["error of another type", "no row", "long message"])
def test_findings(damage, fuzz, seeds, monkeypatch):
    def use(seeds, item):
        if damage == "error of another type":
            raise KeyError("x")
        raise ValueError("wrong" if damage == "no row" else f"row 1: {'x' * 10_000}")

    kind = {"anything": (lambda seeds, rng: None, use, (ValueError,), True)}
    monkeypatch.setattr(fuzz, "KINDS", kind)
    assert fuzz.try_input(seeds, 0, 0)[2]
