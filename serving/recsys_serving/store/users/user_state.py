"""The state of a user: history and revisions in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from recsys_serving.store.events.records import Repeats
from recsys_serving.store.users.accounts import ACCOUNT
from recsys_serving.store.users.records import UserState

#: Latest interactions that are read for each one that the history may have, where an item counts once.
_READ_FOR_EACH = 5

_RECENT = """
    SELECT i.item_id, i.value, i.type, i.occurred_at, i.event_id
    FROM interactions i
    WHERE i.user_id = account.user_id
      AND (CAST(:types AS text[]) IS NULL OR i.type = ANY(CAST(:types AS text[])))
    ORDER BY i.occurred_at DESC, i.event_id DESC
    LIMIT :read
"""
_LATEST = f"""
    SELECT * FROM (
        SELECT DISTINCT ON (item_id) * FROM ({_RECENT}) recent ORDER BY item_id, occurred_at DESC, event_id DESC
    ) once ORDER BY occurred_at DESC, event_id DESC LIMIT :history_limit
"""
_STATE = """
SELECT account.user_id, users.user_id IS NOT NULL AS known, users.revision, users.profiling, users.properties,
    history.item_ids, history.values, history.types, history.timestamps, revisions.*
FROM (SELECT {account} AS user_id) account
LEFT JOIN users ON users.user_id = account.user_id
CROSS JOIN LATERAL (
    SELECT array_agg(item_id ORDER BY occurred_at, event_id) AS item_ids,
        array_agg(value ORDER BY occurred_at, event_id) AS values,
        array_agg(type ORDER BY occurred_at, event_id) AS types,
        array_agg(CAST(extract(epoch FROM occurred_at) AS float8) ORDER BY occurred_at, event_id) AS timestamps
    FROM ({history}) rows
) history
CROSS JOIN (
    SELECT max(revision) FILTER (WHERE name = 'catalogue') AS catalogue_revision,
        max(revision) FILTER (WHERE name = 'deployment') AS deployment_revision,
        max(revision) FILTER (WHERE name = 'experiment') AS experiment_revision
    FROM service_state
) revisions
"""

#: The statement for each way to treat items that occur more than once.
STATE: dict[Repeats, str] = {
    "latest": _STATE.format(account=ACCOUNT, history=_LATEST),
    "all": _STATE.format(account=ACCOUNT, history=_RECENT),
}
_QUERIES = {repeats: text(query) for repeats, query in STATE.items()}


def read_state(
    connection: Connection, user_id: str, history_limit: int, types: Sequence[str] | None, repeats: Repeats
) -> UserState:
    """The state of a user; see :meth:`recsys_serving.store.users.user_store.UserStore.state`.

    Where an item counts once, it is looked for among the latest ``5 * history_limit`` interactions.
    """
    row = connection.execute(_QUERIES[repeats], state_values(user_id, history_limit, types, repeats)).one()
    return UserState(
        user_id=row.user_id,
        known=row.known,
        revision=row.revision or 0,
        profiling=row.profiling is not False,
        properties=row.properties or {},
        item_ids=tuple(row.item_ids or ()),
        values=tuple(row.values or ()),
        types=tuple(row.types or ()),
        timestamps=tuple(row.timestamps or ()),
        catalogue_revision=row.catalogue_revision,
        deployment_revision=row.deployment_revision,
        experiment_revision=row.experiment_revision,
    )


def state_values(user_id: str, history_limit: int, types: Sequence[str] | None, repeats: Repeats) -> dict[str, Any]:
    """The values of the statement's parameters."""
    values: dict[str, Any] = {"user_id": user_id, "types": None if types is None else list(types)}
    if repeats == "all":
        return values | {"read": history_limit}
    return values | {"read": history_limit * _READ_FOR_EACH, "history_limit": history_limit}
