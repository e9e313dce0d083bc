from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from recsys.data.sources.raw_file import RawFile
from recsys.errors import SourceError


def _read(file: RawFile) -> bytes:
    with file.open() as stream:
        return stream.read()


def test_reads_plain_gzipped_and_archived_files_alike(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"content")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"content"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("folder/a.txt", b"content")
        archive.writestr("folder/a.txt.gz", gzip.compress(b"content"))
    files = [
        RawFile(tmp_path / "a.txt"),
        RawFile(tmp_path / "a.txt.gz"),
        RawFile(tmp_path / "a.zip", "folder/a.txt"),
        RawFile(tmp_path / "a.zip", "folder/a.txt.gz"),
    ]
    assert [_read(file) for file in files] == [b"content"] * 4
    assert [file.name for file in files] == ["a.txt", "a.txt.gz", "a.txt", "a.txt.gz"]
    assert str(files[2]) == f"{tmp_path}/a.zip:folder/a.txt"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv does not exist\. Check the path\."):
        _read(RawFile(tmp_path / "none.csv"))


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a directory, but a file is needed"):
        _read(RawFile(tmp_path))


@pytest.mark.parametrize(
    "content", [b"no gzip at all", gzip.compress(b"content" * 50)[:-12]], ids=["no gzip at all", "cut off"]
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json.gz").write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.json\.gz is damaged or incomplete: .* Fetch it again"):
        _read(RawFile(tmp_path / "a.json.gz"))


def test_a_damaged_archive_member_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", b"hello hello")
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(b"hello hello", b"hello jello"))
    with pytest.raises(SourceError, match=r"a\.zip:a\.txt is damaged or incomplete: Bad CRC-32"):
        _read(RawFile(tmp_path / "a.zip", "a.txt"))
