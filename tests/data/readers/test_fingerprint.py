from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from recsys.data.readers.fingerprint import make_fingerprint
from recsys.errors import SourceError


class ToyReader:
    """A reader of which only the name counts."""


def test_the_class_the_arguments_and_the_files_count(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("abc", encoding="utf-8")
    os.utime(path, ns=(0, 5_000))
    found = make_fingerprint(ToyReader(), {"genre": "poetry"}, [path])
    assert found == {
        "reader": "ToyReader",
        "arguments": {"genre": "poetry"},
        "files": [{"path": str(path.resolve()), "size": 3, "mtime_ns": 5_000}],
    }
    assert json.loads(json.dumps(found)) == found


def test_files_are_optional() -> None:
    assert make_fingerprint(ToyReader(), {}) == {"reader": "ToyReader", "arguments": {}, "files": []}


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("abc", encoding="utf-8")
    os.utime(path, ns=(0, 5_000))
    first = make_fingerprint(ToyReader(), {}, [path])
    os.utime(path, ns=(0, 6_000))
    assert make_fingerprint(ToyReader(), {}, [path]) != first


def test_relative_and_absolute_paths_are_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ratings.csv").write_text("abc", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    relative = make_fingerprint(ToyReader(), {}, [Path("ratings.csv")])
    assert relative == make_fingerprint(ToyReader(), {}, [tmp_path / "ratings.csv"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.csv cannot be read: No such file or directory\. Correct the path"):
        make_fingerprint(ToyReader(), {}, [tmp_path / "missing.csv"])
