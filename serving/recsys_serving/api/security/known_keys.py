"""A copy of all API keys that count, in a file: so that any of them is let in while the store is away.

What is kept is what the store keeps: the SHA-256 of a key, its scopes and its end. The file is its owner's alone. All
workers of a machine share it; it is SQLite, so that a change is there as a whole or not at all.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from recsys_serving.store.admin.api_key_store import ApiKeyStore
from recsys_serving.store.admin.records import ApiKeyRecord

_log = logging.getLogger(__name__)

#: Keys that are kept at most; those that were used or made latest stay.
MAX_KEYS = 100_000

#: How much older than the last reading what the file says of it may be.
CONFIRM = timedelta(seconds=60)

_LOCK_SECONDS = 5.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS reading (one INTEGER PRIMARY KEY, revision INTEGER NOT NULL, read_at TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS keys (key_id TEXT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, "
    "scopes TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT) WITHOUT ROWID",
)
_FIND = (
    "SELECT key_id, name, hash, scopes, created_at, expires_at, revoked_at, read_at FROM keys, reading WHERE key_id = ?"
)


@dataclass(frozen=True, slots=True)
class NotedKey:
    """A key as the store had it.

    Args:
        record: of the key.
        read_at: when.
    """

    record: ApiKeyRecord
    read_at: datetime


class KnownKeys:
    """Reads and writes the file; threads and processes may share it.

    It is a help and no duty: where it cannot be written or read, that is logged, and nobody is let in by it.

    Args:
        path: of the file; its mode is 0600.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def refresh(self, keys: ApiKeyStore, anew: bool = False) -> bool:
        """Copy all keys that count, where one was made, rotated or revoked since the last time.

        Args:
            keys: the store's.
            anew: copy them in any case: the file may be of another database.

        Returns:
            Whether they were copied.

        Raises:
            StoreUnavailable: the store is away; the file stays as it is.
        """
        read_at, revision = datetime.now(UTC), keys.revision()
        with self._errors_logged(), self._open() as connection:
            known = connection.execute("SELECT revision, read_at FROM reading").fetchone()
            if not anew and known is not None and known[0] == revision:
                if read_at > datetime.fromisoformat(known[1]) + CONFIRM:
                    connection.execute("UPDATE reading SET read_at = ?", (read_at.isoformat(),))
                return False
            # Nobody else writes until this is written, so that nothing newer is written over.
            connection.execute("BEGIN IMMEDIATE")
            read_at, revision = datetime.now(UTC), keys.revision()
            _write(connection, keys.list_active(MAX_KEYS), revision, read_at)
            connection.execute("COMMIT")
            return True
        return False  # the file could not be written, which is logged

    def note_first(self, record: ApiKeyRecord) -> None:
        """Keep the first key of an installation whose store was never read; the first reading takes its place."""
        with self._errors_logged(), self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT 1 FROM reading").fetchone() is None:
                _write(connection, [record], -1, datetime.now(UTC))
            connection.execute("COMMIT")

    def drop(self, key_id: str) -> None:
        """Keep a key no more, because it has changed."""
        with self._errors_logged(), self._open() as connection:
            connection.execute("DELETE FROM keys WHERE key_id = ?", (key_id,))

    def find(self, key_id: str) -> NotedKey | None:
        """A key as the store last had it; None where that is not known."""
        row = None
        with self._errors_logged(), self._open() as connection:
            row = connection.execute(_FIND, (key_id,)).fetchone()
        return None if row is None else _noted(row)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of one call."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        with closing(sqlite3.connect(self._path, timeout=_LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("PRAGMA secure_delete = ON")
            for statement in _TABLES:
                connection.execute(statement)
            yield connection

    @contextmanager
    def _errors_logged(self) -> Iterator[None]:
        """Let an error of the file end the block and nothing more."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            _log.warning("The copy of the API keys, %s, cannot be used: %s", self._path, error)
            if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                self._path.unlink(missing_ok=True)  # damaged: the next reading makes it anew


def _write(connection: sqlite3.Connection, records: Sequence[ApiKeyRecord], revision: int, read_at: datetime) -> None:
    connection.execute("DELETE FROM keys")
    connection.executemany(
        "INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                one.key_id,
                one.name,
                one.hash,
                json.dumps(one.scopes),
                one.created_at.isoformat(),
                _text(one.expires_at),
                _text(one.revoked_at),
            )
            for one in records
        ),
    )
    connection.execute("INSERT OR REPLACE INTO reading VALUES (1, ?, ?)", (revision, read_at.isoformat()))


def _noted(row: Sequence[Any]) -> NotedKey:
    key_id, name, key_hash, scopes, created_at, expires_at, revoked_at, read_at = row
    record = ApiKeyRecord(
        key_id,
        name,
        key_hash,
        tuple(json.loads(scopes)),
        datetime.fromisoformat(created_at),
        _moment(expires_at),
        _moment(revoked_at),
    )
    return NotedKey(record, datetime.fromisoformat(read_at))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
