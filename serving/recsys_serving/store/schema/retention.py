"""Retention: what is older than it may be is deleted, a little at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.partitions import PARTITION_LOCK, partition_names, period

#: Number of the advisory lock of whoever deletes what is old.
_LOCK = 7_310_219_846_139

#: Pages of a table that one transaction looks at: 16 MiB, so that nobody waits for it.
_PAGES = 2048

#: Longest time of one statement.
_STATEMENT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long rows are kept, in days; None: for ever.

    Args:
        interaction_days: interactions of any type without a period of its own.
        type_days: those of some types, by the type.
        exposure_days: lists that were shown.
        audit_days: entries of the audit log.
    """

    interaction_days: int | None = None
    type_days: Mapping[str, int] = field(default_factory=dict)
    exposure_days: int | None = None
    audit_days: int | None = None


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """What was deleted.

    Args:
        interactions: interactions deleted one by one, those of dropped partitions not among them.
        exposures: the same of lists.
        audit: entries of the audit log.
        partitions: names of the partitions that were dropped whole.
        leader: False where another process deletes already; nothing was done then.
    """

    interactions: int = 0
    exposures: int = 0
    audit: int = 0
    partitions: tuple[str, ...] = ()
    leader: bool = True


def apply_retention(database: Database, policy: RetentionPolicy, now: datetime | None = None) -> RetentionResult:
    """Delete what is older than the policy allows.

    A partition of which nothing may stay is dropped whole. Of the others, rows are deleted page by page, each step in a
    transaction of its own; a run that was interrupted goes on with the next one.

    Args:
        database: where the rows are.
        policy: how long they may stay.
        now: the present; None for the clock's.

    Raises:
        StoreUnavailable: the database is away; what was deleted stays deleted.
    """
    now = now or datetime.now(UTC)
    with database.leadership(_LOCK) as leader:
        if not leader:
            return RetentionResult(leader=False)
        interactions = _RetainedTable("interactions", "occurred_at", *_interaction_cuts(policy, now))
        exposures = _RetainedTable("exposures", "shown_at", _cut(policy.exposure_days, now), {})
        deleted: dict[str, int] = {}
        dropped: list[str] = []
        for table in (interactions, exposures):
            number, names = _clean(database, table)
            deleted[table.name] = number
            dropped += names
        audit = _delete_audit(database, _cut(policy.audit_days, now))
    return RetentionResult(deleted["interactions"], deleted["exposures"], audit, tuple(dropped))


@dataclass(frozen=True, slots=True)
class _RetainedTable:
    """A partitioned table and from when on its rows may stay.

    Args:
        name: the table.
        column: its time.
        cut: for rows without a cut of their own; None: all stay.
        type_cuts: by the type of the row; None: all of the type stay.
    """

    name: str
    column: str
    cut: datetime | None
    type_cuts: Mapping[str, datetime | None]

    def all_before(self) -> datetime | None:
        """Before which moment nothing may stay; None where something may stay for ever."""
        cuts = [self.cut, *self.type_cuts.values()]
        known = [cut for cut in cuts if cut is not None]
        return min(known) if len(known) == len(cuts) else None

    def any_before(self) -> datetime | None:
        """After which moment everything may stay; None where everything may."""
        return max((cut for cut in (self.cut, *self.type_cuts.values()) if cut is not None), default=None)

    def condition(self) -> tuple[str, dict[str, Any]]:
        """What rows that must go have in common, as SQL and its values."""
        parts: list[str] = []
        values: dict[str, Any] = {}
        for number, (kind, cut) in enumerate(self.type_cuts.items()):
            if cut is not None:
                parts.append(f"(type = :type{number} AND {self.column} < :cut{number})")
                values |= {f"type{number}": kind, f"cut{number}": cut}
        if self.cut is not None:
            others = " AND NOT type = ANY(CAST(:types AS text[]))" if self.type_cuts else ""
            parts.append(f"({self.column} < :cut{others})")
            values |= {"cut": self.cut} | ({"types": list(self.type_cuts)} if self.type_cuts else {})
        return f"({' OR '.join(parts)})", values


def _clean(database: Database, table: _RetainedTable) -> tuple[int, list[str]]:
    """Drop and delete of one table; returns the rows deleted and the partitions dropped."""
    any_before, all_before = table.any_before(), table.all_before()
    if any_before is None:
        return 0, []
    with database.transaction() as connection:
        names = partition_names(connection, table.name)
    deleted, dropped = 0, []
    for name in names:
        start, end = period(name)
        if all_before is not None and end <= all_before:
            _drop(database, table, name)
            dropped.append(name)
        elif start < any_before:
            deleted += _delete(database, table, name)
    if deleted or dropped:
        with database.transaction() as connection:  # who reads for training sees that something changed
            connection.execute(text("SELECT nextval('user_revision')"))
    return deleted, dropped


def _drop(database: Database, table: _RetainedTable, name: str) -> None:
    if table.name == "interactions":
        forget = text(
            f"DELETE FROM interaction_keys k USING {name} p WHERE p.ctid >= CAST(:first AS tid) "
            "AND p.ctid < CAST(:last AS tid) AND k.event_id = p.event_id AND k.occurred_at = p.occurred_at"
        )
        _by_pages(database, name, forget, {})
    with database.transaction(_STATEMENT_SECONDS) as connection:
        # Whoever reads the table waits behind this one: rather give up, and drop it the next time.
        connection.execute(text("SELECT set_config('lock_timeout', '2s', true)"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PARTITION_LOCK})
        connection.execute(text(f"DROP TABLE {name}"))


def _delete(database: Database, table: _RetainedTable, name: str) -> int:
    condition, values = table.condition()
    delete = f"DELETE FROM {name} WHERE ctid >= CAST(:first AS tid) AND ctid < CAST(:last AS tid) AND {condition}"
    if table.name == "interactions":
        delete = (
            f"WITH gone AS ({delete} RETURNING event_id) "
            "DELETE FROM interaction_keys k USING gone WHERE k.event_id = gone.event_id"
        )
    return _by_pages(database, name, text(delete), values)


def _by_pages(database: Database, name: str, statement: Any, values: dict[str, Any]) -> int:
    """Run a statement for one range of pages after the other, each in its own transaction; returns the rows."""
    with database.transaction() as connection:
        size = text("SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::int")
        pages = connection.execute(size, {"name": name}).scalar_one()
    deleted = 0
    for first in range(0, pages, _PAGES):
        with database.transaction(_STATEMENT_SECONDS) as connection:
            pages_of_step = {"first": f"({first},0)", "last": f"({first + _PAGES},0)"}
            deleted += connection.execute(statement, values | pages_of_step).rowcount
    return deleted


def _delete_audit(database: Database, cut: datetime | None) -> int:
    if cut is None:
        return 0
    with database.transaction(_STATEMENT_SECONDS) as connection:
        connection.execute(text("SELECT set_config('recsys.retention', 'on', true)"))
        return connection.execute(text("DELETE FROM audit WHERE at < :cut"), {"cut": cut}).rowcount


def _interaction_cuts(policy: RetentionPolicy, now: datetime) -> tuple[datetime | None, dict[str, datetime | None]]:
    return _cut(policy.interaction_days, now), {kind: _cut(days, now) for kind, days in policy.type_days.items()}


def _cut(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now - timedelta(days=days)
