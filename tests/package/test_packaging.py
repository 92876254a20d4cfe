"""The extras: named in the documentation, and all of them in `all`."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def packages_of(extra):
    """Names of the packages that an extra brings, and those of the extras that it names."""
    names = set()
    for requirement in map(Requirement, EXTRAS[extra]):
        if requirement.name == PROJECT["name"]:
            names.update(*map(packages_of, requirement.extras))
        else:
            names.add(requirement.name)
    return names


def test_every_extra_is_in_the_documentation():
    page = (ROOT / "docs/install.rst").read_text(encoding="utf-8")
    assert set(re.findall(r"^``([\w-]+)`` ", page, re.MULTILINE)) == set(EXTRAS)


def test_all_brings_everything_but_the_potentials():
    others = set(EXTRAS) - {"all", "chgnet", "mace", "matgl", "sevennet"}
    assert packages_of("all") == set().union(*map(packages_of, others))


@pytest.mark.parametrize("extra", EXTRAS)
def test_extras_name_extras_that_exist(extra):
    assert packages_of(extra)
