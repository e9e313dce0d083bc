"""Who asks: looks API keys up, and knows those that were valid for a while.

So an answer seldom waits for the store, and while the store is away the keys that this process knows go on, for at most
``grace_seconds``; keys that it has not looked up, it knows from a copy of all of them. A key that is revoked counts
until ``ttl_seconds`` later in the other workers.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from recsys_serving.api.security.api_keys import Principal, hash_of, is_valid, key_id_of
from recsys_serving.api.security.known_keys import KnownKeys
from recsys_serving.store.admin.api_key_store import ApiKeyStore
from recsys_serving.store.admin.records import ApiKeyRecord
from recsys_serving.store.errors import StoreUnavailable

#: Keys that a process knows at most.
MAX_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class _KnownKey:
    record: ApiKeyRecord
    read_at: float
    check_at: float


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Authenticator:
    """Finds out who asks; threads may share it.

    Args:
        keys: the store's.
        ttl_seconds: how long a key counts without being looked up again.
        grace_seconds: how long it counts without being looked up while the store is away.
        monotonic: clock of the two, in seconds.
        now: the time that expiry is compared with.
        file: the copy of all keys that count; None: a process knows only those that it has looked up itself.
    """

    def __init__(
        self,
        keys: ApiKeyStore,
        ttl_seconds: float,
        grace_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
        file: KnownKeys | None = None,
    ) -> None:
        self._keys = keys
        self._ttl_seconds = ttl_seconds
        self._grace_seconds = grace_seconds
        self._monotonic = monotonic
        self._now = now
        self._file = file
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _KnownKey] = OrderedDict()

    def find_known(self, key: str) -> Principal | None:
        """Who has this key, if it was valid a moment ago; nothing is read."""
        known = self._known_key(key)
        if known is None or self._monotonic() >= known.check_at:
            return None
        return self._principal(key, known.record)

    def knows(self, key: str) -> bool:
        """Whether this very key was valid once, and is only to be looked up again."""
        known = self._known_key(key)
        return known is not None and known.record.hash == hash_of(key)

    def authenticate(self, key: str) -> Principal | None:
        """Who has this key; None where it is none, or counts no more.

        Raises:
            StoreUnavailable: the key is not known here, or has not been looked up for too long, and the store is away.
        """
        key_id = key_id_of(key)
        if key_id is None:
            return None
        try:
            record = self._keys.get(key_id)
        except StoreUnavailable:
            record = self._record_while_away(key)
        else:
            self._learn(key, record)
        return None if record is None else self._principal(key, record)

    def forget(self, key_id: str) -> None:
        """Look a key up anew at its next use."""
        with self._lock:
            self._known.pop(key_id, None)
        if self._file is not None:
            self._file.drop(key_id)

    def _known_key(self, key: str) -> _KnownKey | None:
        key_id = key_id_of(key)
        with self._lock:
            return None if key_id is None else self._known.get(key_id)

    def _principal(self, key: str, record: ApiKeyRecord) -> Principal | None:
        if not is_valid(key, record, self._now()):
            return None
        return Principal(record.key_id, record.name, frozenset(record.scopes))

    def _learn(self, key: str, record: ApiKeyRecord | None) -> None:
        if record is None or record.hash != hash_of(key):
            return  # somebody without the key must not make the owner's be forgotten
        if not is_valid(key, record, self._now()):
            if self._file is not None:
                self._file.drop(record.key_id)
            return
        read_at = self._monotonic()
        with self._lock:
            self._known[record.key_id] = _KnownKey(record, read_at, read_at + self._ttl_seconds)
            self._known.move_to_end(record.key_id)
            while len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def _noted_key(self, key: str) -> _KnownKey | None:
        """What the file has of a key."""
        key_id = key_id_of(key)
        noted = None if self._file is None or key_id is None else self._file.find(key_id)
        if noted is None:
            return None
        age = max(0.0, (self._now() - noted.read_at).total_seconds())
        read_at = self._monotonic() - age
        return _KnownKey(noted.record, read_at, read_at + self._ttl_seconds)

    def _record_while_away(self, key: str) -> ApiKeyRecord:
        known, moment = self._known_key(key) or self._noted_key(key), self._monotonic()
        if known is None or known.record.hash != hash_of(key) or moment >= known.read_at + self._grace_seconds:
            raise StoreUnavailable("The key cannot be looked up now. Try again in a moment.")
        with self._lock:  # do not ask again with each request
            self._known[known.record.key_id] = _KnownKey(known.record, known.read_at, moment + self._ttl_seconds)
        return known.record
