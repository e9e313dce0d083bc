"""API keys: their hashes, scopes and ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.admin.records import ApiKeyRecord
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import Conflict, NotFound
from recsys_serving.store.schema.revisions import next_revision, read_revision
from recsys_serving.store.schema.tables import API_KEY

_CREATE = text(
    "INSERT INTO api_keys (key_id, name, hash, scopes, created_at, expires_at, revoked_at, last_used_at) VALUES "
    "(:key_id, :name, :hash, CAST(:scopes AS text[]), :created_at, :expires_at, :revoked_at, :last_used_at) "
    "ON CONFLICT DO NOTHING RETURNING key_id"
)
_REVOKE = text("UPDATE api_keys SET revoked_at = least(revoked_at, :at) WHERE key_id = :key_id RETURNING *")
_EXPIRE = text("UPDATE api_keys SET expires_at = least(expires_at, :until) WHERE key_id = :key_id RETURNING *")
_LIST_ACTIVE = text(
    "SELECT * FROM api_keys WHERE coalesce(least(expires_at, revoked_at), 'infinity') > now() "
    "ORDER BY greatest(last_used_at, created_at) DESC, key_id LIMIT :limit"
)
_TOUCH = text(
    "UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, given.at) "
    "FROM unnest(CAST(:key_ids AS text[]), CAST(:moments AS timestamptz[])) AS given (key_id, at) "
    "WHERE k.key_id = given.key_id"
)

#: Longest time of the statement that reads all of them.
_ALL_KEYS_SECONDS = 10.0


class ApiKeyStore:
    """API keys. Every change of what counts raises their revision, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, record: ApiKeyRecord) -> None:
        """Store a key.

        Raises:
            Conflict: the id or the hash is in use.
        """
        with self._database.transaction() as connection:
            next_revision(connection, API_KEY)
            _create(connection, record)

    def revision(self) -> int:
        """The revision of the keys: another one than before says that one was made, rotated or revoked."""
        with self._database.transaction() as connection:
            return read_revision(connection, API_KEY)

    def get(self, key_id: str) -> ApiKeyRecord | None:
        """A key by its id, revoked or not, or None."""
        return self._find("key_id", key_id)

    def find_by_hash(self, key_hash: str) -> ApiKeyRecord | None:
        """The key of a hash, revoked or not, or None."""
        return self._find("hash", key_hash)

    def list_keys(self) -> tuple[ApiKeyRecord, ...]:
        """All keys in the order in which they were made."""
        with self._database.transaction() as connection:
            found = connection.execute(text("SELECT * FROM api_keys ORDER BY created_at, key_id")).mappings()
            return tuple(map(rows.api_key, found))

    def list_active(self, limit: int) -> tuple[ApiKeyRecord, ...]:
        """Keys that count now; of more than ``limit`` those that were used or made latest."""
        with self._database.transaction(_ALL_KEYS_SECONDS) as connection:
            return tuple(map(rows.api_key, connection.execute(_LIST_ACTIVE, {"limit": limit}).mappings()))

    def revoke(self, key_id: str, at: datetime | None = None) -> ApiKeyRecord:
        """Revoke a key, now or at a later moment; an earlier end stays.

        Raises:
            NotFound: there is no such key.
        """
        values = {"key_id": key_id, "at": at or datetime.now(UTC)}
        with self._database.transaction() as connection:
            next_revision(connection, API_KEY)
            row = connection.execute(_REVOKE, values).mappings().first()
        if row is None:
            raise _not_found(key_id)
        return rows.api_key(row)

    def rotate(self, key_id: str, successor: ApiKeyRecord, until: datetime) -> ApiKeyRecord:
        """Store a successor of a key, which itself expires at ``until``, in one transaction; returns the old key.

        Raises:
            NotFound: there is no such key.
            Conflict: the key is revoked, or the successor's id or hash is in use.
        """
        with self._database.transaction() as connection:
            next_revision(connection, API_KEY)
            row = connection.execute(_EXPIRE, {"key_id": key_id, "until": until}).mappings().first()
            if row is None:
                raise _not_found(key_id)
            if row["revoked_at"] is not None:
                raise Conflict(f"Key {key_id!r} is revoked. Make a new one.")
            _create(connection, successor)
        return rows.api_key(row)

    def touch(self, last_used: Mapping[str, datetime]) -> None:
        """Note when keys were last used; an earlier moment than the stored one is ignored."""
        if last_used:
            values = {"key_ids": sorted(last_used), "moments": [last_used[key_id] for key_id in sorted(last_used)]}
            with self._database.transaction() as connection:
                connection.execute(_TOUCH, values)

    def _find(self, column: str, value: str) -> ApiKeyRecord | None:
        query = text(f"SELECT * FROM api_keys WHERE {column} = :value")
        with self._database.transaction() as connection:
            row = connection.execute(query, {"value": value}).mappings().first()
        return None if row is None else rows.api_key(row)


def _create(connection: Connection, record: ApiKeyRecord) -> None:
    values = asdict(record) | {"scopes": list(record.scopes)}
    if connection.execute(_CREATE, values).first() is None:
        raise Conflict(f"There is a key with the id {record.key_id!r} or the same hash already. Make another one.")


def _not_found(key_id: str) -> NotFound:
    return NotFound(f"There is no key {key_id!r}.")
