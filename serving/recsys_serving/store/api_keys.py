"""API keys: their hashes, scopes and ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from recsys_serving.store.database import Database
from recsys_serving.store.records import ApiKeyRecord


class ApiKeyStore:
    """API keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, record: ApiKeyRecord) -> None:
        """Store a key.

        Raises:
            Conflict: the id or the hash is in use.
        """
        raise NotImplementedError

    def get(self, key_id: str) -> ApiKeyRecord | None:
        """A key by its id, revoked or not, or None."""
        raise NotImplementedError

    def find_by_hash(self, key_hash: str) -> ApiKeyRecord | None:
        """The key of a hash, revoked or not, or None."""
        raise NotImplementedError

    def list_keys(self) -> tuple[ApiKeyRecord, ...]:
        """All keys in the order in which they were made."""
        raise NotImplementedError

    def revoke(self, key_id: str, at: datetime | None = None) -> ApiKeyRecord:
        """Revoke a key, now or at a later moment; an earlier end stays.

        Raises:
            NotFound: there is no such key.
        """
        raise NotImplementedError

    def rotate(self, key_id: str, successor: ApiKeyRecord, until: datetime) -> ApiKeyRecord:
        """Store a successor of a key, which itself ends at ``until``, in one transaction; returns the old key.

        Raises:
            NotFound: there is no such key.
            Conflict: the key is revoked, or the successor's id or hash is in use.
        """
        raise NotImplementedError

    def touch(self, last_used: Mapping[str, datetime]) -> None:
        """Note when keys were last used; an earlier moment than the stored one is ignored."""
        raise NotImplementedError
