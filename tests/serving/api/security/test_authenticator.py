from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.api.security.authenticator import MAX_KNOWN, Authenticator
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.store.admin.records import ApiKeyRecord
from recsys_serving.store.errors import StoreUnavailable


class KeyStore:
    def __init__(self, *records: ApiKeyRecord) -> None:
        self.records = {record.key_id: record for record in records}
        self.is_away = False
        self.asked = 0

    def get(self, key_id: str) -> ApiKeyRecord | None:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return self.records.get(key_id)

    def revision(self) -> int:
        if self.is_away:
            raise StoreUnavailable("away")
        return 1

    def list_active(self, limit: int) -> tuple[ApiKeyRecord, ...]:
        return tuple(self.records.values())[:limit]


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


KEY, RECORD = new_key("shop", ["read"])


@pytest.fixture
def keys() -> KeyStore:
    return KeyStore(RECORD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authenticator(keys, clock) -> Authenticator:
    return Authenticator(keys, ttl_seconds=5, grace_seconds=100, monotonic=clock)  # type: ignore[arg-type]


def test_a_key_is_looked_up_once_for_a_while(authenticator, keys, clock):
    assert authenticator.find_known(KEY) is None
    assert authenticator.authenticate(KEY).name == "shop"
    assert authenticator.find_known(KEY).scopes == {"read"}
    assert keys.asked == 1
    clock.seconds = 5
    assert authenticator.find_known(KEY) is None


def test_an_unknown_key_is_nobody(authenticator):
    assert authenticator.authenticate(new_key("other", ["read"])[0]) is None
    assert authenticator.authenticate("nonsense") is None


def test_known_keys_go_on_while_the_store_is_away(authenticator, keys, clock):
    authenticator.authenticate(KEY)
    keys.is_away, clock.seconds = True, 50
    assert authenticator.authenticate(KEY).name == "shop"
    asked = keys.asked
    assert authenticator.find_known(KEY) is not None
    assert keys.asked == asked  # not asked with each request
    clock.seconds = 100
    with pytest.raises(StoreUnavailable):
        authenticator.authenticate(KEY)


def test_an_unknown_key_cannot_be_judged_while_the_store_is_away(authenticator, keys):
    keys.is_away = True
    with pytest.raises(StoreUnavailable):
        authenticator.authenticate(KEY)


def test_the_id_of_a_known_key_is_not_enough(authenticator, keys):
    authenticator.authenticate(KEY)
    forged = f"rk_{RECORD.key_id}_{'A' * 43}"
    assert authenticator.find_known(forged) is None
    assert not authenticator.knows(forged)
    assert authenticator.authenticate(forged) is None
    assert authenticator.find_known(KEY) is not None  # the owner is not put out
    keys.is_away = True
    with pytest.raises(StoreUnavailable):
        authenticator.authenticate(forged)


def test_a_revoked_key_counts_no_more_once_it_is_looked_up_again(authenticator, keys):
    authenticator.authenticate(KEY)
    keys.records[RECORD.key_id] = replace(RECORD, revoked_at=datetime.now(UTC))
    authenticator.forget(RECORD.key_id)
    assert authenticator.find_known(KEY) is None
    assert authenticator.authenticate(KEY) is None


def test_a_key_that_expires_meanwhile_counts_no_more(keys, clock):
    moment = [datetime(2030, 1, 1, tzinfo=UTC)]
    key, record = new_key("brief", ["read"], datetime(2030, 1, 2, tzinfo=UTC))
    keys.records[record.key_id] = record
    authenticator = Authenticator(keys, 1e9, 1e9, clock, lambda: moment[0])
    assert authenticator.authenticate(key) is not None
    moment[0] = datetime(2030, 1, 3, tzinfo=UTC)
    assert authenticator.find_known(key) is None


def test_what_is_known_is_bounded(clock):
    made = [new_key("x", ["read"]) for _ in range(3)]
    authenticator = Authenticator(KeyStore(*(record for _, record in made)), 5, 5, clock)  # type: ignore[arg-type]
    assert MAX_KNOWN >= 1000
    for key, _ in made:
        authenticator.authenticate(key)
    assert len(authenticator._known) == 3


@pytest.fixture
def file(keys, tmp_path) -> KnownKeys:
    file = KnownKeys(tmp_path / "known_keys.sqlite3")
    assert file.refresh(keys)
    return file


def test_a_key_that_nobody_has_looked_up_is_let_in_while_the_store_is_away(keys, clock, file):
    keys.is_away = True
    found = Authenticator(keys, 5, 100, clock, file=file).authenticate(KEY)
    assert found is not None and found.scopes == {"read"}


def test_a_key_of_the_copy_counts_no_longer_than_one_in_memory(keys, clock, file):
    keys.is_away = True
    later = Authenticator(keys, 5, 100, clock, lambda: datetime.now(UTC) + timedelta(seconds=101), file)
    with pytest.raises(StoreUnavailable):
        later.authenticate(KEY)


def test_another_key_with_the_id_of_one_in_the_copy_does_not_count(keys, clock, file):
    keys.is_away = True
    with pytest.raises(StoreUnavailable):
        Authenticator(keys, 5, 100, clock, file=file).authenticate(KEY[:-4] + "AAAA")


@pytest.mark.parametrize("is_told", [True, False], ids=["its process is told", "it is looked up"])
def test_a_revoked_key_is_not_let_in_by_the_copy(keys, clock, file, is_told):
    before = Authenticator(keys, 5, 100, clock, file=file)
    before.authenticate(KEY)
    keys.records[RECORD.key_id] = replace(RECORD, revoked_at=datetime.now(UTC))
    if is_told:
        before.forget(RECORD.key_id)
    else:
        assert before.authenticate(KEY) is None
    keys.is_away = True
    with pytest.raises(StoreUnavailable):
        Authenticator(keys, 5, 100, clock, file=file).authenticate(KEY)


def test_somebody_without_the_key_does_not_take_it_out_of_the_copy(keys, clock, file):
    forged = f"rk_{RECORD.key_id}_{'A' * 43}"
    assert Authenticator(keys, 5, 100, clock, file=file).authenticate(forged) is None
    assert file.find(RECORD.key_id) is not None


def test_a_key_of_the_copy_that_expires_meanwhile_counts_no_more(keys, clock, tmp_path):
    now = datetime.now(UTC)
    key, record = new_key("brief", ["read"], now + timedelta(seconds=10))
    keys.records[record.key_id] = record
    file = KnownKeys(tmp_path / "known_keys.sqlite3")
    file.refresh(keys)
    keys.is_away = True
    assert Authenticator(keys, 5, 100, clock, lambda: now, file).authenticate(key) is not None
    assert Authenticator(keys, 5, 100, clock, lambda: now + timedelta(seconds=11), file).authenticate(key) is None
