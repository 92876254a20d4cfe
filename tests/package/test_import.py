import subprocess
import sys
from importlib import import_module

import pytest

import sklearn_cloud


def test_import_is_light_and_quick():
    code = (
        "import sys, time; start = time.perf_counter(); import sklearn_cloud; "
        "seconds = time.perf_counter() - start; "
        "heavy = {'torch', 'transformers', 'pymatgen', 'spglib', 'moyopy', 'pandas', 'sklearn'}; "
        "print(seconds, sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, modules = done.stdout.split(" ", 1)
    assert float(seconds) < 0.5
    assert modules.strip() == "[]"


@pytest.mark.parametrize("name", sklearn_cloud.__all__)
def test_public_names_exist(name):
    assert getattr(sklearn_cloud, name) is not None
    assert name in dir(sklearn_cloud)


MOVED = {
    "baselines": [
        "ElementFractions",
        "GeometryFeatures",
        "MagpieFeatures",
        "PotentialFeatures",
        "SpaceGroupFractions",
        "VoronoiFeatures",
    ],
    "encoder.corpus": ["Corpus"],
    "encoder.corpus_builder": ["CorpusSource", "build_corpus"],
    "encoder.pretraining": ["pretrain"],
}


@pytest.mark.parametrize("module", MOVED)
def test_moved_names_can_still_be_imported(module):
    home = "features" if module == "baselines" else "pretraining"
    old, new = (import_module(f"sklearn_cloud.{name}") for name in (module, home))
    for name in MOVED[module]:
        assert getattr(old, name) is getattr(new, name)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'CloudClustering'"):
        sklearn_cloud.CloudClustering  # noqa: B018 - the access is the test
