import hashlib

import pytest

from sklearn_cloud.files import atomic_write, check_plan, check_writable, sha256_of


def test_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "table.csv"
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        assert temporary.parent == path.parent and not path.exists()
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def test_failure_keeps_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_sha256(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(b"abc")
    assert sha256_of(path) == hashlib.sha256(b"abc").hexdigest()


def test_folder_that_cannot_be_written(tmp_path):
    check_writable(tmp_path / "new" / "file")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot be written .*: choose a writable folder"):
        check_writable(tmp_path / "file" / "below")


def test_plan(tmp_path):
    path = tmp_path / "work" / "plan.json"
    check_plan(path, {"epochs": 3, "seed": 0}, "training")
    check_plan(path, {"epochs": 3, "seed": 0, "new": 1}, "training")
    with pytest.raises(ValueError, match="a training with other settings .epochs.: choose another"):
        check_plan(path, {"epochs": 4, "seed": 0}, "training")
    path.write_text("{")
    with pytest.raises(ValueError, match="plan.json' is damaged"):
        check_plan(path, {"epochs": 3}, "training")
