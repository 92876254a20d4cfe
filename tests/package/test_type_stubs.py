"""Stubs of the packages whose names are imported when they are used: editors see these names."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

import sklearn_cloud

ROOT = Path(sklearn_cloud.__file__).parent
STUBS = sorted(ROOT.rglob("__init__.pyi"))


def test_the_package_is_marked_as_typed():
    assert (ROOT / "py.typed").is_file()


def test_every_lazy_package_has_a_stub():
    lazy = [path for path in ROOT.rglob("__init__.py") if "lazy_names(" in path.read_text()]
    assert {path.with_suffix(".pyi") for path in lazy} == set(STUBS)


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.parent.name)
def test_a_stub_names_what_the_package_exports(stub):
    package = ".".join(stub.parent.relative_to(ROOT.parent).parts)
    module, named = import_module(package), {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        for alias in node.names:
            named[alias.asname] = import_module("." * node.level + node.module, package)
            assert getattr(named[alias.asname], alias.name) is getattr(module, alias.asname)
    missing = set(module.__all__) - set(named)
    assert not missing, f"add to {stub}: from .<module> import NAME as NAME for {sorted(missing)}"
    assert set(named) == set(module.__all__)
