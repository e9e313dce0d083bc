import pytest
from recsys_serving.api.security.api_keys import hash_of, key_id_of
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.local.bootstrap_key import bootstrap_key_without_store, ensure_bootstrap_key

from recsys.errors import ServingError


def test_the_first_key_has_all_scopes_and_stays(store, tmp_path):
    path = tmp_path / "api_key"
    key = ensure_bootstrap_key(store, path)
    assert path.read_text().strip() == key
    assert store.api_keys.get(key_id_of(key)).scopes == ("read", "write", "admin")
    assert ensure_bootstrap_key(store, path) == key
    assert len(store.api_keys.list_keys()) == 1


def test_a_new_store_gets_the_key_of_the_file(store, tmp_path):
    path = tmp_path / "api_key"
    path.write_text("rk_" + "0" * 16 + "_" + "s" * 43 + "\n")
    path.chmod(0o600)
    ensure_bootstrap_key(store, path)
    assert store.api_keys.get("0" * 16) is not None


def test_a_revoked_key_stays_so(store, tmp_path):
    key = ensure_bootstrap_key(store, tmp_path / "api_key")
    store.api_keys.revoke(key_id_of(key))
    ensure_bootstrap_key(store, tmp_path / "api_key")
    assert store.api_keys.get(key_id_of(key)).revoked_at is not None


@pytest.mark.parametrize("text", ["", "nonsense"])
def test_a_file_without_a_key_is_refused(store, tmp_path, text):
    path = tmp_path / "api_key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ServingError, match="must hold an API key"):
        ensure_bootstrap_key(store, path)


def test_a_key_that_is_not_that_of_the_store_is_refused(store, tmp_path):
    path = tmp_path / "api_key"
    key = ensure_bootstrap_key(store, path)
    path.write_text(f"rk_{key_id_of(key)}_{'A' * 43}")
    with pytest.raises(ServingError, match="not the one of the store"):
        ensure_bootstrap_key(store, path)


def test_a_key_that_is_made_while_the_store_is_away_is_let_in_and_the_store_gets_it_later(store, tmp_path):
    known = KnownKeys(tmp_path / "known_keys.json")
    key = bootstrap_key_without_store(tmp_path / "api_key", known)
    noted = known.find(key_id_of(key))
    assert noted is not None and noted.record.hash == hash_of(key)
    assert ensure_bootstrap_key(store, tmp_path / "api_key") == key
    assert store.api_keys.get(key_id_of(key)).scopes == noted.record.scopes


def test_a_key_that_was_there_before_is_not_let_in_by_that(store, tmp_path):
    key = ensure_bootstrap_key(store, tmp_path / "api_key")
    known = KnownKeys(tmp_path / "known_keys.json")
    assert bootstrap_key_without_store(tmp_path / "api_key", known) == key
    assert known.find(key_id_of(key)) is None
