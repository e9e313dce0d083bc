from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.store.admin.records import ApiKeyRecord
from recsys_serving.store.errors import Conflict, NotFound

from tests.serving.store.moments import NOON, minutes

KEY = ApiKeyRecord("k1", "shop", "hash-1", ("read", "write"), NOON, expires_at=minutes(60))


def test_a_key_is_found_by_id_and_by_hash(store):
    store.api_keys.create(KEY)
    assert store.api_keys.get("k1") == KEY
    assert store.api_keys.find_by_hash("hash-1") == KEY
    assert store.api_keys.get("hash-1") is None
    assert store.api_keys.find_by_hash("k1") is None


@pytest.mark.parametrize("other", [{"hash": "hash-2"}, {"key_id": "k2"}], ids=["same id", "same hash"])
def test_an_id_and_a_hash_are_used_once(store, other):
    store.api_keys.create(KEY)
    with pytest.raises(Conflict, match="already"):
        store.api_keys.create(replace(KEY, **other))


def test_keys_are_listed_in_the_order_of_their_making(store):
    later = replace(KEY, key_id="k0", hash="hash-0", created_at=minutes(1))
    store.api_keys.create(later)
    store.api_keys.create(KEY)
    assert store.api_keys.list_keys() == (KEY, later)


def test_a_revoked_key_stays_and_is_revoked_from_then_on(store):
    store.api_keys.create(KEY)
    revoked = store.api_keys.revoke("k1")
    assert abs(revoked.revoked_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.api_keys.revoke("k1", datetime.now(UTC) + timedelta(days=1)) == revoked
    assert store.api_keys.get("k1") == revoked


def test_an_unknown_key_is_not_revoked(store):
    with pytest.raises(NotFound, match="no key 'k1'"):
        store.api_keys.revoke("k1")


def test_a_rotated_key_ends_and_has_a_successor(store):
    store.api_keys.create(KEY)
    successor = replace(KEY, key_id="k2", hash="hash-2", created_at=minutes(1))
    assert store.api_keys.rotate("k1", successor, minutes(5)).expires_at == minutes(5)
    assert store.api_keys.get("k2") == successor


def test_an_earlier_end_stays_when_a_key_is_rotated(store):
    store.api_keys.create(KEY)
    old = store.api_keys.rotate("k1", replace(KEY, key_id="k2", hash="hash-2"), minutes(600))
    assert old.expires_at == minutes(60)


def test_a_rotation_counts_whole_or_not_at_all(store):
    store.api_keys.create(KEY)
    with pytest.raises(Conflict):
        store.api_keys.rotate("k1", replace(KEY, key_id="k2"), minutes(5))
    assert store.api_keys.get("k1") == KEY


def test_a_revoked_or_unknown_key_is_not_rotated(store):
    successor = replace(KEY, key_id="k2", hash="hash-2")
    with pytest.raises(NotFound):
        store.api_keys.rotate("k1", successor, minutes(5))
    store.api_keys.create(KEY)
    store.api_keys.revoke("k1")
    with pytest.raises(Conflict, match="revoked"):
        store.api_keys.rotate("k1", successor, minutes(5))
    assert store.api_keys.get("k2") is None


def test_the_latest_use_of_a_key_is_kept(store):
    store.api_keys.create(KEY)
    store.api_keys.touch({"k1": minutes(5), "unknown": minutes(5)})
    store.api_keys.touch({"k1": minutes(3)})
    store.api_keys.touch({})
    assert store.api_keys.get("k1").last_used_at == minutes(5)


def test_every_change_of_what_counts_raises_the_revision(store):
    assert store.api_keys.revision() == 0
    store.api_keys.create(KEY)
    store.api_keys.rotate("k1", replace(KEY, key_id="k2", hash="hash-2"), minutes(30))
    store.api_keys.revoke("k2")
    assert store.api_keys.revision() == 3
    with pytest.raises(Conflict):
        store.api_keys.create(KEY)
    store.api_keys.touch({"k1": minutes(1)})
    assert store.api_keys.revision() == 3


def test_active_keys_are_those_that_count_the_latest_used_first(store):
    now = datetime.now(UTC)
    ends = {
        "for ever": {"expires_at": None},
        "later": {"expires_at": now + timedelta(days=1)},
        "expired": {"expires_at": now - timedelta(days=1)},
    }
    for number, (key_id, end) in enumerate(ends.items()):
        store.api_keys.create(replace(KEY, key_id=key_id, hash=key_id, created_at=minutes(number), **end))
    store.api_keys.create(replace(KEY, key_id="revoked", hash="revoked", expires_at=None))
    store.api_keys.revoke("revoked")
    assert [one.key_id for one in store.api_keys.list_active(10)] == ["later", "for ever"]
    store.api_keys.touch({"for ever": now})
    assert [one.key_id for one in store.api_keys.list_active(1)] == ["for ever"]
