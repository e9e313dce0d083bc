from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from recsys_serving.api.security import known_keys
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.api.security.known_keys import KnownKeys

_, RECORD = new_key("shop", ["read", "write"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "known_keys.json"


def test_a_noted_key_is_found_by_another_process(path: Path):
    KnownKeys(path).note(RECORD)
    noted = KnownKeys(path).find(RECORD.key_id)
    assert noted is not None and noted.record == RECORD


def test_the_file_is_its_owners_alone_and_has_no_key(path: Path):
    key, record = new_key("shop", ["read"])
    KnownKeys(path).note(record)
    assert path.stat().st_mode & 0o077 == 0
    assert key not in path.read_text()


def test_a_change_is_written_at_once_and_the_same_again_is_not(path: Path):
    keys = KnownKeys(path)
    keys.note(RECORD)
    first = path.read_bytes()
    keys.note(replace(RECORD, last_used_at=datetime.now(UTC)))
    assert path.read_bytes() == first
    revoked = replace(RECORD, revoked_at=datetime.now(UTC))
    keys.note(revoked)
    noted = keys.find(RECORD.key_id)
    assert noted is not None and noted.record == revoked


def test_keys_of_several_processes_stay_beside_each_other(path: Path):
    _, other = new_key("app", ["read"])
    one, two = KnownKeys(path), KnownKeys(path)
    one.note(RECORD)
    two.note(other)
    assert one.find(other.key_id) is not None and one.find(RECORD.key_id) is not None


def test_a_dropped_key_is_not_found(path: Path):
    keys = KnownKeys(path)
    keys.note(RECORD)
    keys.drop(RECORD.key_id)
    assert keys.find(RECORD.key_id) is None


def test_what_was_read_latest_stays_where_there_are_too_many(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known_keys, "MAX_KEYS", 2)
    keys, records = KnownKeys(path), [new_key("shop", ["read"])[1] for _ in range(3)]
    for record in records:
        keys.note(record)
    assert [keys.find(record.key_id) is not None for record in records] == [False, True, True]


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}'])
def test_a_damaged_file_lets_nobody_in_and_is_written_anew(path: Path, content: str):
    path.parent.mkdir()
    path.write_text(content)
    keys = KnownKeys(path)
    assert keys.find(RECORD.key_id) is None
    keys.note(RECORD)
    assert keys.find(RECORD.key_id) is not None


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").touch()
    keys = KnownKeys(tmp_path / "file" / "known_keys.json")
    keys.note(RECORD)
    assert keys.find(RECORD.key_id) is None
