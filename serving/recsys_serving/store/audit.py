"""The audit log: who did what, when; it only grows."""

from __future__ import annotations

from recsys_serving.store.database import Database
from recsys_serving.store.records import AuditEntry


class AuditStore:
    """The audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, entry: AuditEntry) -> AuditEntry:
        """Add an entry; returns it with its number and moment."""
        raise NotImplementedError

    def list_entries(
        self, limit: int = 100, before: int | None = None, actor: str | None = None, act: str | None = None
    ) -> tuple[AuditEntry, ...]:
        """Entries, latest first, with a number below ``before``, of an actor or an act or of all."""
        raise NotImplementedError
