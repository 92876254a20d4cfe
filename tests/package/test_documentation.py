"""Every public name is described, with an example."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

PACKAGES = [
    "",
    ".crystals",
    ".symmetry",
    ".features",
    ".encoder",
    ".datasets",
    ".pretraining",
    ".estimators",
    ".ensembles",
    ".baselines",
    ".evaluation",
    ".explanations",
    ".scaling",
    ".predictors",
]
EXTRAS = {".plotting": "matplotlib", ".tuning": "optuna"}
DOCS = Path(__file__).parents[2] / "docs"


def public_names():
    for package in [*PACKAGES, *EXTRAS]:
        if package in EXTRAS and not installed(EXTRAS[package]):
            continue
        module = import_module(f"sklearn_cloud{package}")
        for name in module.__all__:
            yield f"{module.__name__}:{name}"


def installed(module):
    try:
        import_module(module)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("path", list(public_names()))
def test_every_public_name_has_an_example(path):
    module, name = path.split(":")
    thing = getattr(import_module(module), name)
    if not callable(thing):
        pytest.skip("a table, not a function or class")
    assert ">>> " in inspect.getdoc(thing)


def test_every_public_name_is_in_the_reference():
    lines = (DOCS / "api/index.rst").read_text(encoding="utf-8").splitlines()
    # estimators and errors are listed under the names they are imported by
    top = import_module("sklearn_cloud").__all__
    missing = []
    for path in public_names():
        package, name = path.split(":")
        listed = f"   {package}" in lines or f"   {package}.{name}" in lines
        if not listed and name not in top:
            missing.append(path)
    assert not missing
