from __future__ import annotations

import errno
import gc
from pathlib import Path

import pytest

from recsys.data.sources.scratch_directory import ScratchDirectory, copying
from recsys.errors import SourceError


def test_the_directory_goes_with_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    owner = ScratchDirectory()
    (owner.path / "copy").write_bytes(b"x")
    assert owner.path.parent == tmp_path
    del owner
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_with_another_place_to_give(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"ratings is copied to .* too little room.*TMPDIR=DIR before the command"):
        with copying("ratings", tmp_path):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_what_else_goes_wrong_is_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"), copying("ratings", tmp_path):
        raise OSError(errno.EIO, "gone")
