from __future__ import annotations

import logging
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from recsys_serving.api.security import known_keys
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.store import Store

KEY, RECORD = new_key("shop", ["read", "write"], datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "known_keys.sqlite3"


def made(store: Store, name: str = "app") -> str:
    """The id of a new key."""
    record = new_key(name, ["read"])[1]
    store.api_keys.create(record)
    return record.key_id


def test_all_keys_that_count_are_copied_for_every_process(store: Store, path: Path):
    store.api_keys.create(RECORD)
    others = [made(store) for _ in range(3)]
    assert KnownKeys(path).refresh(store.api_keys)
    found = KnownKeys(path).find(RECORD.key_id)
    assert found is not None and found.record == RECORD
    assert all(KnownKeys(path).find(other) is not None for other in others)


def test_revoked_and_expired_keys_are_not_copied(store: Store, path: Path):
    store.api_keys.create(RECORD)
    store.api_keys.revoke(RECORD.key_id)
    expired = replace(new_key("old", ["read"])[1], expires_at=datetime.now(UTC) - timedelta(seconds=1))
    store.api_keys.create(expired)
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)
    assert keys.find(RECORD.key_id) is None and keys.find(expired.key_id) is None


def test_the_file_is_its_owners_alone_and_has_no_key(store: Store, path: Path):
    store.api_keys.create(RECORD)
    KnownKeys(path).refresh(store.api_keys)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KEY.encode() not in path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_keys_are_copied_again_only_where_one_has_changed(store: Store, path: Path):
    store.api_keys.create(RECORD)
    keys = KnownKeys(path)
    assert keys.refresh(store.api_keys)
    assert not keys.refresh(store.api_keys)
    assert keys.refresh(store.api_keys, anew=True)
    other = made(store)
    assert keys.refresh(store.api_keys) and keys.find(other) is not None
    successor = new_key("shop", ["read"])[1]
    store.api_keys.rotate(other, successor, datetime.now(UTC) + timedelta(hours=1))
    assert keys.refresh(store.api_keys) and keys.find(successor.key_id) is not None
    store.api_keys.revoke(RECORD.key_id)
    assert keys.refresh(store.api_keys) and keys.find(RECORD.key_id) is None


def test_a_reading_that_finds_nothing_new_counts_as_one(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch):
    store.api_keys.create(RECORD)
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)
    first = keys.find(RECORD.key_id)
    monkeypatch.setattr(known_keys, "CONFIRM", timedelta(0))
    assert not keys.refresh(store.api_keys)
    later = keys.find(RECORD.key_id)
    assert first is not None and later is not None and later.read_at > first.read_at


def test_a_dropped_key_is_not_found(store: Store, path: Path):
    store.api_keys.create(RECORD)
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)
    keys.drop(RECORD.key_id)
    assert keys.find(RECORD.key_id) is None


def test_of_too_many_keys_those_that_were_used_latest_stay(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known_keys, "MAX_KEYS", 2)
    ids = [made(store) for _ in range(3)]
    store.api_keys.touch({ids[0]: datetime.now(UTC) + timedelta(minutes=1)})
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)
    assert [keys.find(key_id) is not None for key_id in ids] == [True, False, True]


def test_several_workers_may_copy_at_once(store: Store, path: Path):
    ids = [made(store) for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: KnownKeys(path).refresh(store.api_keys, anew=True), range(8)))
    assert all(KnownKeys(path).find(key_id) is not None for key_id in ids)


def test_while_the_store_is_away_the_copy_stays(store: Store, path: Path):
    store.api_keys.create(RECORD)
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable):
        keys.refresh(away.api_keys, anew=True)
    assert keys.find(RECORD.key_id) is not None
    away.close()


def test_a_reading_that_is_broken_off_leaves_the_copy_of_before(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
):
    store.api_keys.create(RECORD)
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)

    def away(limit: int) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(store.api_keys, "list_active", away)
    with pytest.raises(StoreUnavailable):
        keys.refresh(store.api_keys, anew=True)
    assert keys.find(RECORD.key_id) is not None


@pytest.mark.parametrize("content", [b"nonsense" * 200, b"[]"])
def test_a_damaged_file_lets_nobody_in_and_is_written_anew(
    store: Store, path: Path, content: bytes, caplog: pytest.LogCaptureFixture
):
    store.api_keys.create(RECORD)
    path.parent.mkdir()
    path.write_bytes(content)
    keys = KnownKeys(path)
    with caplog.at_level(logging.WARNING):
        assert keys.find(RECORD.key_id) is None
    assert "cannot be used" in caplog.text
    assert keys.refresh(store.api_keys)
    assert keys.find(RECORD.key_id) is not None


def test_a_place_that_cannot_be_written_is_no_error(store: Store, tmp_path: Path):
    (tmp_path / "file").touch()
    keys = KnownKeys(tmp_path / "file" / "known_keys.sqlite3")
    assert not keys.refresh(store.api_keys)
    keys.drop(RECORD.key_id)
    assert keys.find(RECORD.key_id) is None


def test_somebody_who_writes_for_long_is_no_error(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known_keys, "_LOCK_SECONDS", 0.01)
    store.api_keys.create(RECORD)
    keys = KnownKeys(path)
    keys.refresh(store.api_keys)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not keys.refresh(store.api_keys, anew=True)
    assert keys.find(RECORD.key_id) is not None
    other.close()
    assert keys.refresh(store.api_keys, anew=True)
