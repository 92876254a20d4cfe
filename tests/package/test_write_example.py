"""`sklearn-cloud example`: a folder that the other commands read."""

import pandas as pd
import pytest

from sklearn_cloud.__main__ import main
from sklearn_cloud.datasets import load_example, read_crystals

pytestmark = pytest.mark.usefixtures("own_folder")


def test_the_folder_is_read_again(tmp_path):
    assert main(["example", "-o", "mine", "--rows", "12"]) == 0
    table = pd.read_csv("mine/targets.csv")
    assert len(table) == 12 and table["formula"].nunique() > 6  # shuffled
    data = read_crystals("mine/targets.csv", "band_gap")
    gaps = load_example().frame.groupby("formula")["band_gap"].apply(list)
    for formula, gap in zip(table["formula"], data.target):
        assert gap in gaps[formula]
    assert len(list((tmp_path / "mine").glob("*.cif"))) == 12


def test_an_existing_folder_stays(capsys):
    assert main(["example", "-o", "mine", "--rows", "2", "--quiet"]) == 0
    assert main(["example", "-o", "mine", "--rows", "2"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main(["example", "-o", "mine", "--rows", "2", "--overwrite"]) == 0
