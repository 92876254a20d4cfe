"""The extras: named in the documentation, and all of them in `all`."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from sklearn_cloud import __version__

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


def test_the_citation_is_valid():
    """The required keys and types of Citation File Format 1.2.0."""
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert content["cff-version"] == "1.2.0"
    assert all(isinstance(content[key], str) for key in ("title", "message", "license"))
    assert content["type"] in ("software", "dataset")
    paper = content["preferred-citation"]
    assert isinstance(paper["year"], int) and paper["type"] == "conference-paper"
    for author in [*content["authors"], *paper["authors"]]:
        assert {"name"} <= set(author) or {"given-names", "family-names"} <= set(author)
    assert "name" in paper["conference"]


def test_classifiers_name_the_tested_pythons():
    workflow = (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
    tested = set(re.findall(r'python: "(3\.\d+)"', workflow))
    classifiers = {c.rsplit(" ", 1)[-1] for c in PROJECT["classifiers"] if ":: 3." in c}
    assert classifiers == tested


def test_recipe_and_project_have_the_same_requirements():
    yaml = pytest.importorskip("yaml")
    text = (ROOT / "packaging/conda/recipe.yaml").read_text(encoding="utf-8")
    recipe = yaml.safe_load(text)["requirements"]["run"]
    wanted = [
        f"{r.name.replace('torch', 'pytorch')} {r.specifier}"
        for r in map(Requirement, PROJECT["dependencies"])
    ]
    assert recipe == [f"python {PROJECT['requires-python']}", *wanted]


def test_the_container_file_names_extras_that_exist():
    text = (ROOT / "packaging/Containerfile").read_text(encoding="utf-8")
    (extras,) = re.findall(r'"/src\[(.+)\]"', text)
    assert set(extras.split(",")) <= set(EXTRAS)
    for name in re.findall(r"/src/(\S+)", text):
        assert (ROOT / name).is_file()


def test_recipe_and_package_have_the_same_version():
    yaml = pytest.importorskip("yaml")
    text = (ROOT / "packaging/conda/recipe.yaml").read_text(encoding="utf-8")
    version = yaml.safe_load(text)["package"]["version"]
    assert Version(version) == Version(Version(__version__).base_version)
