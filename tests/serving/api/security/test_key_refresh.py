from __future__ import annotations

import threading
from pathlib import Path

import pytest
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.api.security.key_refresh import KeyRefresh
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.store.store import Store

_, RECORD = new_key("shop", ["read"])


@pytest.fixture
def known(tmp_path: Path) -> KnownKeys:
    return KnownKeys(tmp_path / "known_keys.sqlite3")


def test_keys_are_copied_at_the_start_and_with_each_change(store: Store, known: KnownKeys):
    store.api_keys.create(RECORD)
    refresh = KeyRefresh(store.api_keys, known, 0.01)
    refresh.start()
    assert known.find(RECORD.key_id) is not None
    _, later = new_key("app", ["read"])
    store.api_keys.create(later)
    waited = threading.Event()
    for _ in range(6000):
        if known.find(later.key_id) is not None:
            break
        waited.wait(0.01)
    refresh.close()
    assert known.find(later.key_id) is not None


def test_what_another_database_had_is_copied_over_at_the_start(store: Store, known: KnownKeys):
    store.api_keys.create(RECORD)
    known.refresh(store.api_keys)
    known.drop(RECORD.key_id)  # as in a copy of another database that has come to the same revision
    assert KeyRefresh(store.api_keys, known, 60).refresh_once()
    assert known.find(RECORD.key_id) is not None


def test_while_the_store_is_away_nothing_is_copied(known: KnownKeys):
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    refresh = KeyRefresh(away.api_keys, known, 60)
    refresh.start()
    assert not refresh.refresh_once()
    refresh.close()
    away.close()


def test_an_error_that_nobody_expects_does_not_end_the_thread(store: Store, known: KnownKeys):
    calls, often = [], threading.Event()

    class Odd:
        def refresh(self, keys: object, anew: bool) -> bool:
            calls.append(anew)
            if len(calls) > 3:
                often.set()
            if len(calls) > 1:
                raise RuntimeError("bug")
            return True

    refresh = KeyRefresh(store.api_keys, Odd(), 0.001)  # type: ignore[arg-type]
    refresh.start()
    assert often.wait(60)
    refresh.close()
