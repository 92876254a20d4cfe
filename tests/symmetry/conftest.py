"""The crystals are those of the tests of the room `crystals`.

A conftest.py in `tests` would share them too, but it puts `tests` on the path, where transformers
takes `tests/datasets` for the package datasets.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "crystals"))

from example_crystals import crystals, rng  # noqa: E402, F401 (fixtures)
