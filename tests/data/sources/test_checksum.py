from __future__ import annotations

from pathlib import Path

import pytest

from recsys.data.sources.checksum import Checksum, digest_of
from recsys.errors import SourceError

# `printf abc | md5sum` and `printf abc | sha256sum`
ABC_MD5 = "900150983cd24fb0d6963f7d28e17f72"
ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def abc(tmp_path: Path) -> Path:
    path = tmp_path / "abc.txt"
    path.write_bytes(b"abc")
    return path


def test_digest_is_sha256_unless_named(abc: Path) -> None:
    assert digest_of(abc) == ABC_SHA256
    assert digest_of(abc, "md5") == ABC_MD5


@pytest.mark.parametrize(("algorithm", "digest"), [("md5", ABC_MD5), ("sha256", ABC_SHA256)])
def test_verify_accepts_the_published_file(abc: Path, algorithm: str, digest: str) -> None:
    Checksum(algorithm, digest).verify(abc, "abc.txt")


def test_verify_names_the_file_and_both_checksums(abc: Path) -> None:
    with pytest.raises(SourceError, match=f"the-file is not the file .* its md5 must be 00, but is {ABC_MD5}"):
        Checksum("md5", "00").verify(abc, "the-file")
