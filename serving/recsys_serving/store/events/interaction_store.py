"""Interactions: appended once each, read by user."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg.errors import CheckViolation
from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.events.records import AppendStatus, Interaction, InteractionPage, Period, PeriodCount
from recsys_serving.store.json_text import properties_json
from recsys_serving.store.schema.partitions import Partitions, check_moment
from recsys_serving.store.users.accounts import ACCOUNT, lock_accounts

_INSERT_KEYS = text(
    "INSERT INTO interaction_keys (event_id, user_id, occurred_at) "
    "SELECT * FROM unnest(CAST(:event_id AS text[]), CAST(:user_id AS text[]), CAST(:occurred_at AS timestamptz[])) "
    "ON CONFLICT DO NOTHING RETURNING event_id"
)

#: Columns of the table, with their types, in the order of the statement below.
_COLUMNS = {
    "event_id": "text",
    "user_id": "text",
    "item_id": "text",
    "type": "text",
    "occurred_at": "timestamptz",
    "value": "double precision",
    "recommendation_id": "uuid",
    "position": "integer",
    "session_id": "text",
    "properties": "jsonb",
}
_INSERT_ROWS = text(
    f"WITH stored AS (INSERT INTO interactions ({', '.join(_COLUMNS)}) "
    f"SELECT * FROM unnest({', '.join(f'CAST(:{name} AS {kind}[])' for name, kind in _COLUMNS.items())})) "
    "UPDATE users SET revision = nextval('user_revision'), updated_at = now() "
    "WHERE user_id = ANY(CAST(:accounts AS text[]))"
)
_BY_EVENT = (
    f"SELECT {rows.INTERACTION_COLUMNS} FROM interaction_keys k JOIN interactions i "
    "ON i.user_id = k.user_id AND i.occurred_at = k.occurred_at AND i.event_id = k.event_id "
    "WHERE k.event_id = ANY(CAST(:event_ids AS text[]))"
)
_DELETE = text(
    "WITH key AS (DELETE FROM interaction_keys WHERE event_id = :event_id RETURNING event_id, user_id, occurred_at), "
    "gone AS (DELETE FROM interactions i USING key WHERE i.user_id = key.user_id AND i.occurred_at = key.occurred_at "
    "AND i.event_id = key.event_id RETURNING i.user_id) "
    "UPDATE users u SET revision = nextval('user_revision'), updated_at = now() FROM gone "
    "WHERE u.user_id = gone.user_id"
)
_COUNT_FOR_ITEM = text(
    "SELECT date_trunc(:per, occurred_at AT TIME ZONE 'UTC')::date AS start, type, count(*) AS num_interactions, "
    "avg(value) AS mean_value FROM interactions WHERE item_id = :item_id GROUP BY 1, 2 ORDER BY 1, 2"
)
LIST_FOR_USER = (
    f"SELECT {rows.INTERACTION_COLUMNS} FROM interactions i WHERE i.user_id = {ACCOUNT} "
    "AND (CAST(:types AS text[]) IS NULL OR i.type = ANY(CAST(:types AS text[])))"
)
_LATEST_FIRST = " ORDER BY i.occurred_at DESC, i.event_id DESC LIMIT :limit"
_AFTER_CURSOR = " AND i.occurred_at <= :moment AND (i.occurred_at, i.event_id) < (:moment, :event_id)"


class InteractionStore:
    """Interactions of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._partitions = Partitions(database, "interactions")

    def append(self, interactions: Sequence[Interaction], untimed: Collection[str] = ()) -> tuple[AppendStatus, ...]:
        """Store interactions, in one transaction, and raise the revisions of their users.

        An unknown user is made; that of a merged user goes to the account. An event id that is there already is a
        replay; where the content differs it is a conflict, and what is stored stays.

        Args:
            interactions: any number, of any users.
            untimed: ids of events whose sender gave no moment, so that ``occurred_at`` is that of the arrival: a replay
                of one may have any moment.

        Returns:
            The status of each, in the given order.

        Raises:
            StoreUnavailable: nothing is stored.
            StoreRefused: a value cannot be stored, such as a text with a null character; nothing is stored.
        """
        if not interactions:
            return ()
        given = [replace(one, occurred_at=check_moment(one.occurred_at)) for one in interactions]
        try:
            return self._append(given, frozenset(untimed))
        except StoreRefused as error:
            if not isinstance(getattr(error.__cause__, "orig", None), CheckViolation):
                raise
            self._partitions.forget()  # retention dropped a partition meanwhile
            return self._append(given, frozenset(untimed))

    def get(self, event_id: str) -> Interaction | None:
        """The interaction of an event, or None."""
        with self._database.transaction() as connection:
            return _by_event(connection, [event_id]).get(event_id)

    def delete(self, event_id: str) -> bool:
        """Delete one interaction and raise its user's revision; False where there is none."""
        owner = text("SELECT user_id FROM interaction_keys WHERE event_id = :event_id")
        with self._database.transaction() as connection:
            user_id = connection.execute(owner, {"event_id": event_id}).scalar()
            if user_id is None:
                return False
            lock_accounts(connection, [user_id])
            return connection.execute(_DELETE, {"event_id": event_id}).rowcount > 0

    def list_for_user(
        self,
        user_id: str,
        limit: int = 100,
        cursor: tuple[datetime, str] | None = None,
        types: Sequence[str] | None = None,
    ) -> InteractionPage:
        """A page of a user's interactions, latest first.

        Args:
            user_id: the user; a merged one stands for the account.
            limit: most interactions of the page.
            cursor: ``next_cursor`` of the page before, or None for the first.
            types: only these types; None for all.
        """
        values: dict[str, Any] = {"user_id": user_id, "limit": limit + 1, "types": list(types) if types else None}
        query = LIST_FOR_USER
        if cursor is not None:
            query += _AFTER_CURSOR
            values |= {"moment": check_moment(cursor[0]), "event_id": cursor[1]}
        with self._database.transaction() as connection:
            found = [
                rows.interaction(row) for row in connection.execute(text(query + _LATEST_FIRST), values).mappings()
            ]
        page = tuple(found[:limit])
        return InteractionPage(page, (page[-1].occurred_at, page[-1].event_id) if len(found) > limit else None)

    def count_for_item(self, item_id: str, per: Period = "month") -> tuple[PeriodCount, ...]:
        """Interactions with an item, counted by period and type; the earliest first.

        Args:
            item_id: of the item.
            per: length of a period; each begins at midnight in UTC, a week on Monday.
        """
        with self._database.transaction() as connection:
            found = connection.execute(_COUNT_FOR_ITEM, {"item_id": item_id, "per": per}).mappings()
            return tuple(PeriodCount(**row) for row in found)

    def _append(self, given: Sequence[Interaction], untimed: frozenset[str]) -> tuple[AppendStatus, ...]:
        self._partitions.ensure(one.occurred_at for one in given)
        with self._database.transaction() as connection:
            accounts = lock_accounts(connection, {one.user_id for one in given})
            given = [replace(one, user_id=accounts[one.user_id]) for one in given]
            first: dict[str, Interaction] = {}
            for one in given:
                first.setdefault(one.event_id, one)
            ordered = [first[event_id] for event_id in sorted(first)]  # in one order: no deadlocks
            created = set(connection.execute(_INSERT_KEYS, _arrays(ordered, _COLUMNS)).scalars())
            new = [one for one in ordered if one.event_id in created]
            if new:
                values = _arrays(new, _COLUMNS) | {"accounts": sorted({one.user_id for one in new})}
                connection.execute(_INSERT_ROWS, values)
            replayed = [event_id for event_id in first if event_id not in created]
            stored = _by_event(connection, replayed) if replayed else {}
        return tuple(
            AppendStatus.CREATED
            if one.event_id in created and one is first[one.event_id]
            else _replay_status(one, stored.get(one.event_id, first[one.event_id]), one.event_id in untimed)
            for one in given
        )


def _by_event(connection: Connection, event_ids: list[str]) -> dict[str, Interaction]:
    found = connection.execute(text(_BY_EVENT), {"event_ids": event_ids}).mappings()
    return {row["event_id"]: rows.interaction(row) for row in found}


def _arrays(interactions: Sequence[Interaction], columns: Collection[str]) -> dict[str, list[Any]]:
    """The columns as lists, for ``unnest``."""
    values = {name: [getattr(one, name) for one in interactions] for name in columns if name != "properties"}
    return values | {"properties": [properties_json(one.properties) for one in interactions]}


def _replay_status(one: Interaction, stored: Interaction, untimed: bool) -> AppendStatus:
    """Whether an event that came again says what the stored one says."""
    occurred_at = stored.occurred_at if untimed else one.occurred_at
    alike = replace(one, occurred_at=occurred_at, received_at=None, properties=dict(one.properties)) == replace(
        stored, received_at=None, properties=dict(stored.properties)
    )
    return AppendStatus.REPLAYED if alike else AppendStatus.CONFLICT
