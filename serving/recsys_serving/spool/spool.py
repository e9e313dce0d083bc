"""The spool: a local file in which changes are safe while the store is away."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.spool.draining import ApplyTogether, DeadLetter, Draining, DrainResult
from recsys_serving.spool.errors import SpoolError, SpoolFull, full_message, mapped_errors
from recsys_serving.store.errors import StoreError

# The numbers only grow, also where everything was taken out: AUTOINCREMENT.
_TABLES = """
CREATE TABLE IF NOT EXISTS commands (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    user_id TEXT,
    spooled_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS commands_user ON commands (user_id, number);
CREATE INDEX IF NOT EXISTS commands_kind ON commands (kind, number);
CREATE TABLE IF NOT EXISTS dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    user_id TEXT,
    spooled_at TEXT NOT NULL,
    error TEXT NOT NULL,
    refused_at TEXT NOT NULL
);
"""
_COLUMNS = "command_id, kind, payload, user_id, spooled_at"

#: Part of the largest size that is left to draining, which writes as well.
_RESERVE = 0.1

#: Smallest room for draining, in bytes.
_LEAST_RESERVE = 1 << 18


class Spool:
    """Commands in order, durable once :meth:`append` returns; shared by threads and processes of one machine.

    What is deleted is overwritten in the file, so that nothing of an erased user stays in it.

    Args:
        path: the SQLite file; made where it is missing. Only its owner can read it.
        max_bytes: largest size of the file. A part of it is left to draining, so that fewer bytes can be appended.
        busy_timeout_seconds: longest wait for another process that writes.

    Raises:
        SpoolError: the file cannot be opened, or is none of a spool.
    """

    def __init__(self, path: Path, max_bytes: int = 1 << 30, busy_timeout_seconds: float = 5.0) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._busy_timeout_seconds = busy_timeout_seconds
        self._lock = threading.RLock()
        with mapped_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            # SQLite does not wait where several turn a new file into one with a log at once.
            with FileLock(path.with_name(path.name + ".opening"), mode=0o600):
                self._connection = self._connect()
                with self._write():
                    for statement in _TABLES.split(";"):
                        self._connection.execute(statement)

    def append(self, commands: Sequence[SpoolCommand]) -> int:
        """Add commands, all or none; those whose id is there are left out. On return they are on the disk.

        Returns:
            How many were new.

        Raises:
            SpoolFull: the spool has reached its largest size.
            SpoolError: the disk is full, or the file cannot be written.
        """
        now = datetime.now(UTC).isoformat()
        rows = [(one.command_id, one.kind, _to_json(one), one.user_id, now) for one in commands]
        with mapped_errors(self._path), self._write():
            self._check_room()
            before = self._connection.total_changes
            self._connection.executemany(f"INSERT OR IGNORE INTO commands ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)", rows)
            return self._connection.total_changes - before

    def pending_for(self, user_id: str) -> tuple[SpoolCommand, ...]:
        """Commands of a user that wait, in order."""
        return self._commands("WHERE user_id = ? ORDER BY number", (user_id,))

    def pending_kinds(self, kinds: Sequence[str]) -> tuple[SpoolCommand, ...]:
        """Commands of some kinds that wait, in order: changes of items, say."""
        marks = ", ".join("?" for _ in kinds)
        return self._commands(f"WHERE kind IN ({marks}) ORDER BY number", tuple(kinds))

    def __len__(self) -> int:
        """Number of commands that wait."""
        return int(self._read("SELECT count(*) FROM commands")[0][0])

    def is_empty(self) -> bool:
        """Whether nothing waits; cheaper than counting."""
        return not self._read("SELECT 1 FROM commands LIMIT 1")

    def oldest_at(self) -> datetime | None:
        """When the command was spooled that has waited longest; None where nothing waits."""
        found = self._read("SELECT spooled_at FROM commands ORDER BY number LIMIT 1")
        return datetime.fromisoformat(found[0][0]) if found else None

    def size_bytes(self) -> int:
        """Size of the files of the spool."""
        files = [self._path, *(self._path.with_name(self._path.name + end) for end in ("-wal", "-shm"))]
        return sum(file.stat().st_size for file in files if file.exists())

    def drain(
        self,
        apply: Callable[[SpoolCommand], None],
        batch: int = 100,
        transaction: Callable[[], AbstractContextManager[object]] = nullcontext,
        is_alive: Callable[[], bool] = lambda: False,
        together: ApplyTogether | None = None,
    ) -> DrainResult:
        """Carry out commands in order until none waits or the store is away; one process at a time does so.

        A command goes away only after ``apply`` returned and its transaction is committed; a crash in between repeats
        it, so that ``apply`` must take a command twice as once. One that ``apply`` refuses (a ``StoreError`` other than
        ``StoreUnavailable``) goes to the dead letters, and the next one follows.

        Args:
            apply: carries out one command.
            batch: commands read and removed at a time.
            transaction: surrounds a batch: that of the store saves a commit for each command.
            is_alive: whether the store answers though a command failed: then the others go around it.
            together: carries out neighbours of one kind as one, so that it must take them twice as once too; None: each
                is carried out for itself.

        Raises:
            SpoolError: the file cannot be read or written; what was carried out is repeated the next time.
        """
        leader = FileLock(self._path.with_name(self._path.name + ".leader"), mode=0o600)
        try:
            leader.acquire(timeout=0)
        except Timeout:
            return DrainResult(0, 0, len(self), leader=False)
        try:
            return self._drain(Draining(apply, transaction, is_alive, together), batch)
        finally:
            leader.release()

    def dead_letters(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Commands that the store refused for good, latest first."""
        query = f"SELECT {_COLUMNS}, error, refused_at FROM dead_letters ORDER BY number DESC LIMIT ?"
        found = self._read(query, (limit,))
        return tuple(DeadLetter(_command(row[:5]), row[5], datetime.fromisoformat(row[6])) for row in found)

    def num_dead_letters(self) -> int:
        """Number of commands that the store refused for good."""
        return int(self._read("SELECT count(*) FROM dead_letters")[0][0])

    def requeue_dead_letters(self) -> int:
        """Put all dead letters at the end of the spool again; returns how many."""
        with mapped_errors(self._path), self._write():
            before = self._connection.total_changes
            self._connection.execute(
                f"INSERT OR IGNORE INTO commands ({_COLUMNS}) SELECT {_COLUMNS} FROM dead_letters ORDER BY number"
            )
            added = self._connection.total_changes - before
            self._connection.execute("DELETE FROM dead_letters")
            return added

    def discard_user(self, user_id: str) -> int:
        """Take away what waits of a user and what was refused, because all of the user is erased; returns how much."""
        with mapped_errors(self._path), self._write():
            before = self._connection.total_changes
            for table in ("commands", "dead_letters"):
                self._connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,))
            return self._connection.total_changes - before

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _drain(self, draining: Draining, batch: int) -> DrainResult:
        applied = refused = last = 0
        query = f"SELECT number, {_COLUMNS} FROM commands WHERE number > ? ORDER BY number LIMIT ?"
        while not draining.is_away and (rows := self._read(query, (last, batch))):
            done = draining.carry_out({row[0]: _command(row[1:]) for row in rows})
            self._remove(done)
            refused += sum(error is not None for error in done.values())
            applied += sum(error is None for error in done.values())
            last = rows[-1][0]
        self._shrink()
        return DrainResult(applied, refused, len(self))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout_seconds, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # counts only in a new file
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(16, self._max_bytes // page_size)}")
        return connection

    @contextmanager
    def _write(self) -> Iterator[None]:
        """One transaction that writes; the lock of the file is taken at once, so that none waits for another in it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _read(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with mapped_errors(self._path), self._lock:
            return self._connection.execute(query, values).fetchall()

    def _commands(self, condition: str, values: tuple[Any, ...]) -> tuple[SpoolCommand, ...]:
        return tuple(map(_command, self._read(f"SELECT {_COLUMNS} FROM commands {condition}", values)))

    def _check_room(self) -> None:
        """Refuse to append where only the room for draining is left."""
        pages, free, page_size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        reserve = min(max(self._max_bytes * _RESERVE, _LEAST_RESERVE), self._max_bytes / 2)
        if (pages - free) * page_size > self._max_bytes - reserve:
            raise SpoolFull(full_message(self._path, self._max_bytes))

    def _remove(self, done: dict[int, StoreError | None]) -> None:
        """Take out what was carried out, and keep what was refused as dead letters."""
        now = datetime.now(UTC).isoformat()
        refused = [(str(error), now, number) for number, error in done.items() if error is not None]
        with mapped_errors(self._path), self._write():
            self._connection.executemany(
                f"INSERT INTO dead_letters ({_COLUMNS}, error, refused_at) SELECT {_COLUMNS}, ?, ? FROM commands "
                "WHERE number = ?",
                refused,
            )
            self._connection.executemany("DELETE FROM commands WHERE number = ?", [(number,) for number in done])

    def _shrink(self) -> None:
        """Give the space back where everything was taken out; where somebody reads, the next time."""
        if self.is_empty():
            with mapped_errors(self._path), self._lock:
                self._connection.execute("PRAGMA incremental_vacuum").fetchall()
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _to_json(command: SpoolCommand) -> str:
    try:
        return json.dumps(command.payload, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SpoolError(f"A command must be what JSON can hold: {error}. Correct it.") from error


def _command(row: Sequence[Any]) -> SpoolCommand:
    command_id, kind, payload, user_id, spooled_at = row
    return SpoolCommand(command_id, kind, json.loads(payload), user_id, datetime.fromisoformat(spooled_at))
