from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from recsys.data.sources import wheel
from recsys.data.sources.checksum import Checksum
from recsys.data.sources.wheel import Wheel
from recsys.errors import SourceError

FILENAME = "carrier-1.0-py3-none-any.whl"

needs_pip = pytest.mark.skipif(not list(importlib.metadata.distributions(name="pip")), reason="this Python has no pip")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that pip takes for its only index, with one small wheel."""
    directory = tmp_path / "index"
    directory.mkdir()
    with zipfile.ZipFile(directory / FILENAME, "w") as archive:
        archive.writestr("carrier/data.txt", "content")
        archive.writestr("carrier-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carrier\nVersion: 1.0\n")
        archive.writestr(
            "carrier-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("carrier-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


def _wheel(directory: Path, requirement: str = "carrier==1.0", filename: str = FILENAME) -> Wheel:
    digest = hashlib.sha256((directory / FILENAME).read_bytes()).hexdigest()
    return Wheel(requirement, filename, Checksum("sha256", digest))


@needs_pip
def test_pip_brings_the_wheel(index: Path, tmp_path: Path) -> None:
    target = tmp_path / "cache" / FILENAME
    fetched = _wheel(index)
    fetched.fetch(target)
    assert target.read_bytes() == (index / FILENAME).read_bytes()
    assert list(target.parent.iterdir()) == [target]
    assert fetched.origin == "pip download carrier==1.0"


@needs_pip
def test_another_checksum_is_refused(index: Path, tmp_path: Path) -> None:
    changed = Wheel("carrier==1.0", FILENAME, Checksum("sha256", "00"))
    with pytest.raises(SourceError, match=f"{FILENAME} is not the file that was published: its sha256 must be 00"):
        changed.fetch(tmp_path / "cache" / FILENAME)
    assert list((tmp_path / "cache").iterdir()) == []


@needs_pip
def test_a_failure_of_pip_is_told_in_its_last_line(index: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"pip failed: ERROR: No matching distribution found for carrier==2\.0"):
        _wheel(index, "carrier==2.0").fetch(tmp_path / "cache" / FILENAME)


@needs_pip
def test_an_unexpected_file_is_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"pip must download other.whl, but downloaded {FILENAME}"):
        _wheel(index, filename="other.whl").fetch(tmp_path / "cache" / "other.whl")


def test_a_python_without_pip_is_told_how_to_get_it(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise wheel.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(wheel.importlib.metadata, "distribution", missing)
    with pytest.raises(SourceError, match="pip is not installed for .* -m ensurepip` installs it"):
        _wheel(index).fetch(tmp_path / "cache" / FILENAME)


def test_a_pip_that_hangs_is_given_up(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], **options: object) -> None:
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        raise subprocess.TimeoutExpired(command, 300)

    monkeypatch.setattr(wheel.importlib.metadata, "distribution", lambda name: object())
    monkeypatch.setattr(wheel.subprocess, "run", hang)
    with pytest.raises(SourceError, match="pip did not finish within 300 seconds"):
        _wheel(index).fetch(tmp_path / "cache" / FILENAME)


def test_a_cache_that_cannot_be_written_is_told(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel.importlib.metadata, "distribution", lambda name: object())
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be written"):
        _wheel(index).fetch(tmp_path / "cache" / FILENAME)
