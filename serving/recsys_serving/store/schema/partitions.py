"""Partitions by time, made when the first row of their time comes.

A partition is a month, or a whole year where the year was over long before its first row came: an import of twenty
years makes twenty partitions, and plans of queries stay short.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import StoreRefused

#: Moments that the store takes: from the first year until before the last.
FIRST_YEAR, END_YEAR = 1970, 2100

#: Number of the advisory lock of whoever makes or drops partitions.
PARTITION_LOCK = 7_310_219_846_138


class Partitions:
    """The partitions of a table.

    Args:
        database: where the table is.
        table: ``interactions`` or ``exposures``.
    """

    def __init__(self, database: Database, table: str) -> None:
        self._database = database
        self._table = table
        self._known: frozenset[str] = frozenset()

    def ensure(self, moments: Iterable[datetime]) -> None:
        """Make the partitions that rows of these moments need.

        Raises:
            StoreRefused: a moment has no time zone, or is before 1970 or after 2099.
            StoreUnavailable: the database is away.
        """
        months = {check_moment(moment).timetuple()[:2] for moment in moments}
        missing = {(year, month) for year, month in months if not self._covers(year, month)}
        if missing:
            with self._database.transaction() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": PARTITION_LOCK})
                self._known = frozenset(partition_names(connection, self._table))
                for year, month in sorted(missing):
                    if not self._covers(year, month):
                        self._make(connection, year, month)

    def forget(self) -> None:
        """Look again which partitions there are: one that was there was dropped."""
        self._known = frozenset()

    def _covers(self, year: int, month: int) -> bool:
        return not self._known.isdisjoint((_name(self._table, year), _name(self._table, year, month)))

    def _make(self, connection: Connection, year: int, month: int) -> None:
        months = any(name.startswith(f"{_name(self._table, year)}_") for name in self._known)
        whole_year = not months and year < datetime.now(UTC).year - 1
        name = _name(self._table, year) if whole_year else _name(self._table, year, month)
        start, end = period(name)
        # A table made for itself and attached does not keep readers and writers of the others waiting.
        connection.execute(text(f"CREATE TABLE {name} (LIKE {self._table} INCLUDING ALL)"))
        connection.execute(
            text(
                f"ALTER TABLE {self._table} ATTACH PARTITION {name} "
                f"FOR VALUES FROM ('{start.isoformat()}') TO ('{end.isoformat()}')"
            )
        )
        self._known |= {name}


def check_moment(moment: datetime) -> datetime:
    """A moment in UTC.

    Raises:
        StoreRefused: it has no time zone, or is before 1970 or after 2099.
    """
    if moment.tzinfo is None:
        raise StoreRefused(f"A moment must have a time zone, and {moment.isoformat()} has none. Send one, such as Z.")
    if moment.year in (1, 9999):  # in UTC it may be in a year that does not exist
        raise StoreRefused(_out_of_range(moment))
    moment = moment.astimezone(UTC)
    if not FIRST_YEAR <= moment.year < END_YEAR:
        raise StoreRefused(_out_of_range(moment))
    return moment


def partition_names(connection: Connection, table: str) -> list[str]:
    """Names of the partitions of a table, the earliest first."""
    query = text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = CAST(:name AS regclass) ORDER BY c.relname"
    )
    return list(connection.execute(query, {"name": table}).scalars())


def period(name: str) -> tuple[datetime, datetime]:
    """The time of a partition by its name, as start and end, the end not included."""
    numbers = [int(part) for part in name.split("_") if part.isdigit()]
    if len(numbers) == 1:
        return datetime(numbers[0], 1, 1, tzinfo=UTC), datetime(numbers[0] + 1, 1, 1, tzinfo=UTC)
    year, month = numbers
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def _name(table: str, year: int, month: int | None = None) -> str:
    return f"{table}_{year:04d}" if month is None else f"{table}_{year:04d}_{month:02d}"


def _out_of_range(moment: datetime) -> str:
    return (
        f"A moment must be from {FIRST_YEAR} to {END_YEAR - 1}, and {moment.isoformat()} is not. Check its unit: "
        "seconds, not milliseconds."
    )
