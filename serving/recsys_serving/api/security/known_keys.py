"""API keys that were valid lately, in a file: so that a worker that starts while the store is away lets them in.

What is kept is what the store keeps: the SHA-256 of a key, its scopes and its end. The file is its owner's alone.
"""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock
from filelock import Timeout as LockTimeout
from pydantic import TypeAdapter, ValidationError

from recsys_serving.store.admin.records import ApiKeyRecord

_log = logging.getLogger(__name__)

#: Keys that are kept at most; those that were read latest stay.
MAX_KEYS = 1_000

#: How much older than the last reading what is written may be.
REWRITE = timedelta(seconds=60)

_LOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class NotedKey:
    """A key as the store had it.

    Args:
        record: of the key.
        read_at: when.
    """

    record: ApiKeyRecord
    read_at: datetime


_ADAPTER = TypeAdapter(dict[str, NotedKey])


class KnownKeys:
    """Reads and writes the file; threads and processes may share it.

    It is a help and no duty: where it cannot be written or read, that is logged, and nobody is let in by it.

    Args:
        path: of the file; its mode is 0600.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: dict[str, NotedKey] = {}

    def note(self, record: ApiKeyRecord) -> None:
        """Keep a key as it is now; it is written only where that says something new."""
        now = datetime.now(UTC)
        last = self._written.get(record.key_id)
        if last is not None and _counts_alike(last.record, record) and now < last.read_at + REWRITE:
            return
        noted = NotedKey(record, now)
        self._change(record.key_id, noted)
        self._written[record.key_id] = noted
        if len(self._written) > MAX_KEYS:
            self._written.clear()

    def drop(self, key_id: str) -> None:
        """Keep a key no more, because it has changed."""
        self._written.pop(key_id, None)
        self._change(key_id, None)

    def find(self, key_id: str) -> NotedKey | None:
        """A key as the store last had it; None where that is not known."""
        return self._read().get(key_id)

    def _change(self, key_id: str, noted: NotedKey | None) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._path.with_name(self._path.name + ".lock"), timeout=_LOCK_SECONDS, mode=0o600):
                keys = self._read()
                if noted is not None:
                    keys[key_id] = noted
                elif keys.pop(key_id, None) is None:
                    return
                latest = sorted(keys.items(), key=lambda pair: pair[1].read_at)[-MAX_KEYS:]
                self._write(_ADAPTER.dump_json(dict(latest)))
        except (OSError, LockTimeout) as error:
            _log.warning("Known keys cannot be written to %s: %s", self._path, error)

    def _read(self) -> dict[str, NotedKey]:
        try:
            return _ADAPTER.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            _log.warning("Known keys cannot be read from %s: %s", self._path, type(error).__name__)
            return {}

    def _write(self, content: bytes) -> None:
        descriptor, partial = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(partial, self._path)
        except OSError:
            os.unlink(partial)
            raise


def _counts_alike(one: ApiKeyRecord, other: ApiKeyRecord) -> bool:
    told = [(key.hash, key.scopes, key.expires_at, key.revoked_at) for key in (one, other)]
    return told[0] == told[1]
