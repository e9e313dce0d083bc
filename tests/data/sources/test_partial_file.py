from __future__ import annotations

import errno
import gzip
import zipfile
from pathlib import Path

import pytest

from recsys.data.sources.partial_file import check_container, partial_file
from recsys.errors import SourceError


def test_target_appears_whole_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.bin"
    with partial_file(target) as part:
        part.write_bytes(b"half")
        assert not target.exists()
        part.write_bytes(b"whole")
    assert target.read_bytes() == b"whole"
    assert list(target.parent.iterdir()) == [target]


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    with pytest.raises(KeyboardInterrupt), partial_file(target) as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_error_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError), partial_file(target) as part:
        part.write_bytes(b"half")
        raise RuntimeError
    assert target.read_bytes() == b"old"


def test_a_full_disk_is_a_source_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"file\.bin cannot be written: No space left on device"):
        with partial_file(tmp_path / "file.bin"):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_a_source_error(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be written"), partial_file(tmp_path / "blocked" / "file.bin"):
        raise AssertionError("never entered")


def _zip(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", b"hello hello")
    return path.read_bytes()


def test_whole_containers_pass(tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip")
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"hello"))
    assert check_container(tmp_path / "a.zip", "a.zip")
    assert check_container(tmp_path / "a.gz", "a.json.gz")


def test_other_files_have_no_proof(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n")
    assert not check_container(tmp_path / "a.csv", "a.csv")


@pytest.mark.parametrize("kept", [10, -1])
def test_truncated_containers_are_refused(tmp_path: Path, kept: int) -> None:
    zipped = _zip(tmp_path / "a.zip")
    gzipped = gzip.compress(b"hello" * 100)
    (tmp_path / "a.zip").write_bytes(zipped[:kept])
    (tmp_path / "a.gz").write_bytes(gzipped[:kept])
    for name in ("a.zip", "a.gz"):
        with pytest.raises(SourceError, match=f"{name} is damaged or incomplete"):
            check_container(tmp_path / name, name)


def test_a_damaged_member_is_refused(tmp_path: Path) -> None:
    content = _zip(tmp_path / "a.zip").replace(b"hello hello", b"hello jello")
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(SourceError, match=r"its member a\.txt has another checksum"):
        check_container(tmp_path / "a.zip", "a.zip")
