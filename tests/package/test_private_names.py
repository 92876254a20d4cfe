"""Private names of scikit-learn come from one module."""

import re
from pathlib import Path

import sklearn_cloud

PRIVATE = re.compile(r"^\s*(from|import) sklearn[\w.]*\._", re.MULTILINE)


def test_one_module_imports_private_names_of_scikit_learn():
    package = Path(sklearn_cloud.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if PRIVATE.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"_compat.py"}
