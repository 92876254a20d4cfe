import gzip
import json

import numpy as np
import pytest

from sklearn_cloud.datasets import fetch_matbench
from sklearn_cloud.evaluation import write_submission

MatbenchBenchmark = pytest.importorskip(
    "matbench.bench", reason="pip install --no-deps matbench==0.6"
).MatbenchBenchmark
INFO = {"authors": "A. Author", "algorithm": "mean"}


@pytest.fixture(scope="module")
def steels(tmp_path_factory):
    """A table of the right size with made-up steels."""
    home = tmp_path_factory.mktemp("home")
    path = home / "matbench/compositions/matbench_steels.csv.gz"
    path.parent.mkdir(parents=True)
    rows = [f"Fe0.{60 + i % 30}C0.{100 + i}Cr0.0{1 + i % 9},{1000 + i}" for i in range(312)]
    path.write_bytes(gzip.compress("\n".join(["formula,target", *rows, ""]).encode()))
    return fetch_matbench("steels", data_home=home, download=False)


def means(table):
    return [np.full(len(test), table.target[train].mean()) for train, test in table.folds]


def test_submission_is_valid_and_scored_by_matbench(steels, tmp_path, capsys):
    scores = write_submission(
        tmp_path / "new", [steels], {"steels": means(steels)}, INFO, parameters={"strategy": "mean"}
    )
    mae = [
        np.abs(predicted - steels.target[test]).mean()
        for predicted, (_, test) in zip(means(steels), steels.folds)
    ]
    assert scores["steels"]["mae"]["mean"] == pytest.approx(np.mean(mae))
    written = json.loads(gzip.decompress((tmp_path / "new/results.json.gz").read_bytes()))
    assert MatbenchBenchmark.from_dict(written).is_valid
    folds = written["tasks"]["matbench_steels"]["results"]
    assert set(folds["fold_0"]["data"]) == set(steels.ids[steels.folds[0][1]])
    assert folds["fold_3"]["parameters"] == {"strategy": "mean"}
    assert capsys.readouterr().out == ""
    info = json.loads((tmp_path / "new/info.json").read_text())
    assert info["algorithm"] == "mean" and "requirements" in info


def test_what_cannot_be_submitted_is_refused(steels, tmp_path):
    def write(tables=(steels,), predictions=None, info=INFO):
        write_submission(tmp_path, tables, predictions or {"steels": means(steels)}, info)

    incomplete = type(steels)(**{**steels, "coverage": 0.98})
    with pytest.raises(ValueError, match="use the complete table"):
        write([incomplete])
    with pytest.raises(ValueError, match="lacks the task steels"):
        write(predictions={"jdft2d": []})
    with pytest.raises(ValueError, match="test rows, but the predictions"):
        write(predictions={"steels": [fold[:-1] for fold in means(steels)]})
    with pytest.raises(ValueError, match=r"lacks \['authors'\] and has unknown keys \['author'\]"):
        write(info={"author": "A. Author", "algorithm": "mean"})
    other = type(steels)(**{**steels, "folds": steels.folds[::-1]})
    reversed_folds = {"steels": means(steels)[::-1]}
    with pytest.raises(ValueError, match="differs from that of matbench"):
        write([other], reversed_folds)
    assert not list(tmp_path.iterdir())
