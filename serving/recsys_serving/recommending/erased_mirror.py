"""What this installation knows of erased users while the store is away: the marks of the store, in a file.

A worker that starts while the store is away, or is asked for a user whom it does not remember, must not go by what a
bundle knows of somebody who was erased. All workers of an installation share the file.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from recsys.cli.whole_files import write_private
from recsys_serving.store.users.erased_users import ErasedUsers, erasure_hash

_log = logging.getLogger(__name__)

_ADAPTER = TypeAdapter(dict[str, dict[str, datetime]])

#: How long a mark that the store does not have stays: so long may an erasure wait for the store.
_WAITING = timedelta(days=7)

_LOCK_SECONDS = 5.0


class ErasedMirror:
    """Reads and writes the file; threads and processes may share it.

    It has the salt as well, so that users who ask to be erased while the store is away are marked too. Where it cannot
    be read or written, that is logged: the store has the marks.

    Args:
        path: of the file; its mode is 0600.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._known = ErasedUsers("", {})

    def __contains__(self, user_id: object) -> bool:
        """Whether a user was erased, as far as the file knows."""
        return user_id in self._read()

    def replace(self, erased: ErasedUsers) -> None:
        """Keep the marks of the store, and those that it may get yet."""

        def changed(known: ErasedUsers) -> ErasedUsers:
            late = datetime.now(UTC) - _WAITING
            waiting = {one: at for one, at in known.marks.items() if known.salt == erased.salt and at > late}
            return ErasedUsers(erased.salt, {**waiting, **erased.marks})

        if changed(self._read()) != self._read():
            self._change(changed)

    def mark(self, user_ids: Sequence[str], at: datetime) -> None:
        """Mark users as erased at a moment; before the store was ever read, nobody is marked."""

        def changed(known: ErasedUsers) -> ErasedUsers:
            new = {erasure_hash(known.salt, user_id): at for user_id in user_ids}
            return ErasedUsers(known.salt, {**known.marks, **new})

        if self._read().salt:
            self._change(changed)

    def _read(self) -> ErasedUsers:
        with self._lock:
            try:
                found = self._path.stat()
                stamp = (found.st_mtime_ns, found.st_ino)
                if stamp != self._stamp:
                    [(salt, marks)] = _ADAPTER.validate_json(self._path.read_bytes()).items()
                    self._known = ErasedUsers(salt, {bytes.fromhex(one): at for one, at in marks.items()})
                    self._stamp = stamp
            except FileNotFoundError:
                pass
            except (OSError, ValidationError, ValueError) as error:
                _log.warning("Erased users cannot be read from %s: %s", self._path, type(error).__name__)
            return self._known

    def _change(self, change: Callable[[ErasedUsers], ErasedUsers]) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._path.with_name(self._path.name + ".lock"), timeout=_LOCK_SECONDS, mode=0o600):
                made = change(self._read())
                marks = {one.hex(): at for one, at in sorted(made.marks.items())}
                write_private(self._path, _ADAPTER.dump_json({made.salt: marks}))
        except (OSError, Timeout) as error:
            _log.warning("Erased users cannot be written to %s: %s", self._path, error)
