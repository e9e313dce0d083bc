"""Keeps the marks of erased users as long as a bundle has what they did, and the installation's copy of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from recsys.errors import RecsysError
from recsys_serving.recommending.erased_mirror import ErasedMirror
from recsys_serving.store.errors import StoreError
from recsys_serving.store.store import Store
from recsys_serving.writing.bundle_users import marks_in_use

#: Days for which every mark is kept: so long may a bundle still come from a training that began before an erasure, and
#: a list that was shown before it wait somewhere.
LEAST_DAYS = 30

_log = structlog.get_logger("recsys_serving.retention")


class ErasureMarks:
    """Reads the marks, and deletes those that nothing needs any more.

    Args:
        store: with the marks.
        mirror: the installation's copy.
        bundle_directories: gives those of all bundles that there are.
        retention_days: days after an erasure by which bundles should be replaced; their marks are kept at least so
            long, and on while a bundle is there that has the user.
    """

    def __init__(
        self,
        store: Store,
        mirror: ErasedMirror,
        bundle_directories: Callable[[], Iterable[Path]],
        retention_days: int,
    ) -> None:
        self._store, self._mirror = store, mirror
        self._bundle_directories = bundle_directories
        self._kept = timedelta(days=max(retention_days, LEAST_DAYS))

    def read_once(self) -> None:
        """Take the marks over from the store, where it answers."""
        try:
            self._mirror.replace(self._store.users.erased())
        except StoreError as error:
            _log.info("marks of erased users were not read", error=type(error).__name__)

    def apply_once(self, now: datetime | None = None) -> None:
        """Delete the marks that no bundle needs, and take the others over; while the store is away, nothing happens.

        Args:
            now: the present; None for the clock's.
        """
        before = (now or datetime.now(UTC)) - self._kept
        try:
            erased = self._store.users.erased()
            old = {one: at for one, at in erased.marks.items() if at < before}
            if old:
                kept = marks_in_use(type(erased)(erased.salt, old), self._bundle_directories())
                expired = self._store.users.expire_erased(before, kept)
                _log.info("deleted marks of erased users whom no bundle has", marks=expired)
        except RecsysError as error:
            _log.warning("marks of erased users cannot be looked through", error=type(error).__name__)
            return
        self.read_once()
