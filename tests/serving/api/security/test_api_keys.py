import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.api.security.api_keys import hash_of, is_valid, key_id_of, new_key

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_key_has_32_random_bytes_and_a_public_id():
    key, record = new_key("shop", ["write", "read"])
    assert key.startswith(f"rk_{record.key_id}_")
    assert len(key.split("_", 2)[2]) == 43  # 32 bytes in Base64
    assert record.scopes == ("read", "write")
    assert new_key("shop", ["read"])[0] != key


def test_only_the_hash_of_a_key_is_kept():
    key, record = new_key("shop", ["read"])
    assert record.hash == hash_of(key) == hashlib.sha256(key.encode()).hexdigest()
    assert key not in repr(record)


def test_a_key_is_valid_until_it_ends():
    key, record = new_key("shop", ["read"], NOW)
    assert is_valid(key, record, NOW - timedelta(seconds=1))
    assert not is_valid(key, record, NOW)


def test_a_revoked_key_is_not_valid():
    key, record = new_key("shop", ["read"])
    assert is_valid(key, record, NOW)
    assert not is_valid(key, replace(record, revoked_at=NOW), NOW)


def test_another_secret_with_the_same_id_is_not_valid():
    key, record = new_key("shop", ["read"])
    assert not is_valid(f"rk_{record.key_id}_{'A' * 43}", record, NOW)


@pytest.mark.parametrize("text", ["", "rk_", "rk_zz_x", "Bearer x", "rk_" + "0" * 16 + "_" + "ä" * 43])
def test_what_is_no_key_has_no_id(text):
    assert key_id_of(text) is None
