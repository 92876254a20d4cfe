"""Each package imports only from those above it in the table of CONTRIBUTING.md."""

import ast
import re
from pathlib import Path

import sklearn_cloud

PACKAGE = Path(sklearn_cloud.__file__).parent
CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
# (package, what it may import from below), as the text above the table says
EXCEPTIONS = {
    ("features", "training.devices"),
    ("relaxation", "training.devices"),
    ("encoder", "pretraining"),  # modules that only forward
}


def levels():
    """Return {package: row of the table}."""
    rows = re.findall(r"^\| (`[a-z]+/`(?:, `[a-z]+/`)*) \|", CONTRIBUTING.read_text(), re.M)
    return {name: i for i, row in enumerate(rows) for name in re.findall(r"([a-z]+)/", row)}


def imports():
    """Yield (package, module that it imports) for relative imports between packages."""
    for path in PACKAGE.rglob("*.py"):
        home = list(path.relative_to(PACKAGE).parts[:-1])
        for node in ast.walk(ast.parse(path.read_text())):
            if home and isinstance(node, ast.ImportFrom) and node.level:
                base = home[: len(home) - node.level + 1]
                target = [*base, *(node.module or "").split(".")]
                if target[0] != home[0] and (PACKAGE / target[0]).is_dir() and target[0]:
                    yield home[0], ".".join(target)


def test_packages_import_from_those_above():
    level = levels()
    assert {"crystals", "graphs", "training", "estimators", "baselines", "cli"} <= set(level)
    found = {
        (package, module)
        for package, module in imports()
        if package in level and level.get(module.split(".")[0], -1) > level[package]
    }
    assert found == EXCEPTIONS
