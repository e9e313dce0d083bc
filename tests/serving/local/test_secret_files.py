import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from recsys_serving.local.secret_files import read_or_make

from recsys.errors import ServingError


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path):
    path = tmp_path / "secrets" / "one"
    assert read_or_make(path, lambda: b"first") == b"first"
    assert read_or_make(path, lambda: b"second") == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["one"]


def test_a_secret_that_others_may_read_is_none(tmp_path: Path):
    path = tmp_path / "one"
    read_or_make(path, lambda: b"first")
    path.chmod(0o644)
    with pytest.raises(ServingError, match="its mode is 644: chmod 600"):
        read_or_make(path, lambda: b"second")


def make(path: Path) -> bytes:
    return read_or_make(path, lambda: os.urandom(8))


def test_of_several_processes_one_makes_it(tmp_path: Path):
    with multiprocessing.get_context("forkserver").Pool(4) as pool:
        assert len(set(pool.map(make, [tmp_path / "one"] * 8))) == 1
