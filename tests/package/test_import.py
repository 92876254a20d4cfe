import subprocess
import sys

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


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'CloudClustering'"):
        sklearn_cloud.CloudClustering  # noqa: B018 - the access is the test
