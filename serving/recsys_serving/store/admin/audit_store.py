"""The audit log: who did what, when; it only grows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from recsys_serving.store import rows
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.connection.database import Database
from recsys_serving.store.json_text import properties_json

_APPEND = text(
    "INSERT INTO audit (at, actor, act, target, detail) VALUES "
    "(coalesce(:at, now()), :actor, :act, :target, CAST(:detail AS jsonb)) RETURNING *"
)


class AuditStore:
    """The audit log. The database itself refuses to change an entry, or to delete one other than by retention."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, entry: AuditEntry) -> AuditEntry:
        """Add an entry; returns it with its number and moment."""
        values = {
            "at": entry.at,
            "actor": entry.actor,
            "act": entry.act,
            "target": entry.target,
            "detail": properties_json(entry.detail),
        }
        with self._database.transaction() as connection:
            return rows.audit_entry(connection.execute(_APPEND, values).mappings().one())

    def list_entries(
        self, limit: int = 100, before: int | None = None, actor: str | None = None, act: str | None = None
    ) -> tuple[AuditEntry, ...]:
        """Entries, latest first, with a number below ``before``, of an actor or an act or of all."""
        tests = {"before": "id < :before", "actor": "actor = :actor", "act": "act = :act"}
        given: dict[str, Any] = {"before": before, "actor": actor, "act": act}
        given = {name: value for name, value in given.items() if value is not None}
        where = " AND ".join(tests[name] for name in given) or "true"
        query = text(f"SELECT * FROM audit WHERE {where} ORDER BY id DESC LIMIT :limit")
        with self._database.transaction() as connection:
            return tuple(map(rows.audit_entry, connection.execute(query, {**given, "limit": limit}).mappings()))
