"""Numbers and long messages are written one way."""

import re
from pathlib import Path

import pytest

import sklearn_cloud
from sklearn_cloud.cli.messages import list_problems
from sklearn_cloud.crystals.row_messages import list_rows
from sklearn_cloud.wording import cut_middle, percent

PACKAGE = Path(sklearn_cloud.__file__).parent
LONG = f"the site is {'very ' * 100}crowded; merge its atoms"


def test_percent():
    assert percent(0.9) == "90 %"
    assert percent(0.1234, 1) == "12.3 %"
    assert percent(0.1, sign="+") == "+10 %"


def test_percentages_are_written_by_it():
    for path in PACKAGE.rglob("*.py"):
        found = re.findall(r"\{[^{}\n]*:\+?\.\d%\}", path.read_text())
        assert not found, f"{path}: {found}"


@pytest.mark.parametrize("longest", [60, 61, 240])
def test_a_long_message_keeps_its_way_out(longest):
    text = cut_middle(LONG, longest)
    assert len(text) <= longest
    assert text.startswith("the site is very ")
    assert text.endswith("merge its atoms")


def test_short_messages_stay():
    assert cut_middle("a\n b", 40) == "a b"


def test_lists_of_bad_rows_keep_the_way_out():
    assert list_problems({"NaCl.cif": LONG}).endswith("merge its atoms")
    assert list_rows({3: LONG}).endswith("merge its atoms")
