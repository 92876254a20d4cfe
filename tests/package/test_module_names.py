"""One module of a name: a reader finds the module of any name at the first try."""

from collections import defaultdict
from pathlib import Path

import sklearn_cloud

PACKAGE = Path(sklearn_cloud.__file__).parent
# They only forward to sklearn_cloud.pretraining.
FORWARDING = {"encoder/corpus.py", "encoder/corpus_builder.py", "encoder/pretraining.py"}
UNDERSCORED = {"__init__.py", "__main__.py", "_compat.py", "_version.py"}


def modules():
    return [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]


def test_module_names_are_unique():
    places = defaultdict(list)
    for path in modules():
        # the commands have the names of what they run
        if path.stem == "__init__" or path.parts[0] == "cli" or path.as_posix() in FORWARDING:
            continue
        places[path.stem].append(path.as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_module_names_have_no_underscore_in_front():
    found = {path.as_posix() for path in modules() if path.name.startswith("_")}
    assert {path for path in found if Path(path).name not in UNDERSCORED} == set()
