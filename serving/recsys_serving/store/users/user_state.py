"""The state of a user: history and revisions in one round trip.

It is read with each answer, so it goes to the driver without a detour, and a history that is known already is not read
again: revisions of users come from one sequence, and everything that changes a history changes the revision with it, in
the same transaction. Retention alone does not; see :meth:`recsys_serving.store.users.UserStore.state`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern
from typing import Any, LiteralString

from psycopg import Cursor

from recsys_serving.store.events.records import Repeats
from recsys_serving.store.users.accounts import ACCOUNT
from recsys_serving.store.users.records import UserState

#: Latest interactions that are read for each one that the history may have, where an item counts once.
_READ_FOR_EACH = 5

_RECENT = """
    SELECT i.item_id, i.value, i.type, i.occurred_at, i.event_id
    FROM interactions i
    WHERE i.user_id = account.user_id
      AND (CAST(:known_revision AS bigint) IS NULL OR users.revision IS DISTINCT FROM CAST(:known_revision AS bigint))
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

#: The same with the parameters as the driver has them.
_QUERIES: dict[Repeats, LiteralString] = {
    repeats: re.sub(r"(?<!:):(\w+)", r"%(\1)s", query) for repeats, query in STATE.items()
}


def read_state(
    cursor: Cursor[Any],
    user_id: str,
    history_limit: int,
    types: Sequence[str] | None,
    repeats: Repeats,
    known: UserState | None = None,
) -> UserState:
    """The state of a user; see :meth:`recsys_serving.store.users.user_store.UserStore.state`.

    Where an item counts once, it is looked for among the latest ``5 * history_limit`` interactions.
    """
    known_revision = known.revision if known is not None and known.known else None
    cursor.execute(_QUERIES[repeats], state_values(user_id, history_limit, types, repeats, known_revision))
    row = cursor.fetchone()
    assert row is not None, "the statement has one row, whoever the user is"
    account, is_known, revision, profiling, properties, *lists, catalogue, deployment, experiment = row
    if known is not None and known_revision is not None and revision == known_revision:
        histories = known.item_ids, known.values, known.types, known.timestamps
    else:
        item_ids, values, types_read, timestamps = (column or () for column in lists)
        # The same few texts again and again, of thousands of users that a worker remembers.
        histories = tuple(map(intern, item_ids)), tuple(values), tuple(map(intern, types_read)), tuple(timestamps)
    return UserState(
        account,
        is_known,
        revision or 0,
        profiling is not False,
        properties or {},
        *histories,
        catalogue,
        deployment,
        experiment,
    )


def state_values(
    user_id: str,
    history_limit: int,
    types: Sequence[str] | None,
    repeats: Repeats,
    known_revision: int | None = None,
) -> dict[str, Any]:
    """The values of the statement's parameters."""
    values: dict[str, Any] = {
        "user_id": user_id,
        "types": None if types is None else list(types),
        "known_revision": known_revision,
    }
    if repeats == "all":
        return values | {"read": history_limit}
    return values | {"read": history_limit * _READ_FOR_EACH, "history_limit": history_limit}
