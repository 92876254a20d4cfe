"""Every public name is described, with an example."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest

PACKAGES = [
    "",
    ".symmetry",
    ".encoder",
    ".datasets",
    ".estimators",
    ".baselines",
    ".evaluation",
    ".explanations",
    ".scaling",
]
EXTRAS = {".plotting": "matplotlib", ".tuning": "optuna_integration"}
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


@pytest.mark.parametrize("package", [p for p in [*PACKAGES, *EXTRAS] if p != ".estimators"])
def test_every_package_is_in_the_reference(package):
    # the estimators are listed under the names they are imported by
    lines = (DOCS / "api/index.rst").read_text(encoding="utf-8").splitlines()
    assert f"   sklearn_cloud{package}" in lines
