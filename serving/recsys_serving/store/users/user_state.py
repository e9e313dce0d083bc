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
from recsys_serving.store.users.erased_users import IS_ERASED
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
_STATE = """
SELECT account.user_id, users.user_id IS NOT NULL AS known, users.revision, users.profiling, users.properties,
    history.item_ids, history.values, history.types, history.timestamps,
    {is_erased} AS is_erased, revisions.*
FROM (SELECT {account} AS user_id) account
LEFT JOIN users ON users.user_id = account.user_id
CROSS JOIN LATERAL (
    SELECT array_agg(item_id) AS item_ids, array_agg(value) AS values, array_agg(type) AS types,
        array_agg(CAST(extract(epoch FROM occurred_at) AS float8)) AS timestamps
    FROM ({recent}) recent
) history
CROSS JOIN (
    SELECT max(revision) FILTER (WHERE name = 'catalogue') AS catalogue_revision,
        max(revision) FILTER (WHERE name = 'deployment') AS deployment_revision,
        max(revision) FILTER (WHERE name = 'experiment') AS experiment_revision
    FROM service_state
) revisions
"""

#: The statement; the history has the latest interaction first.
STATE = _STATE.format(account=ACCOUNT, recent=_RECENT, is_erased=IS_ERASED.format(user_id="account.user_id"))

#: The same with the parameters as the driver has them.
_QUERY: LiteralString = re.sub(r"(?<!:):(\w+)", r"%(\1)s", STATE)


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
    asked = state_values(user_id, history_limit, types, repeats, known_revision)
    cursor.execute(_QUERY, asked)
    row = cursor.fetchone()
    assert row is not None, "the statement has one row, whoever the user is"
    account, is_known, revision, profiling, properties, *lists = row[:9]
    is_erased, catalogue, deployment, experiment = row[9:]
    if known is not None and known_revision is not None and revision == known_revision:
        histories, is_cut = (known.item_ids, known.values, known.types, known.timestamps), known.is_cut
    else:
        item_ids, values, types_read, timestamps = (column or () for column in lists)
        places = _places(item_ids, history_limit, repeats)
        # The same few texts again and again, of thousands of users that a worker remembers.
        # Without a call of Python's for each: a history has hundreds of interactions, and is read with most answers.
        histories = (
            tuple(map(intern, map(item_ids.__getitem__, places))),
            tuple(map(values.__getitem__, places)),
            tuple(map(intern, map(types_read.__getitem__, places))),
            tuple(map(timestamps.__getitem__, places)),
        )
        is_cut = len(item_ids) >= asked["read"] or len(places) >= history_limit
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
        is_erased,
        is_cut,
    )


def state_values(
    user_id: str,
    history_limit: int,
    types: Sequence[str] | None,
    repeats: Repeats,
    known_revision: int | None = None,
) -> dict[str, Any]:
    """The values of the statement's parameters."""
    return {
        "user_id": user_id,
        "types": None if types is None else list(types),
        "known_revision": known_revision,
        "read": history_limit * (1 if repeats == "all" else _READ_FOR_EACH),
    }


def _places(item_ids: Sequence[str], history_limit: int, repeats: Repeats) -> Sequence[int]:
    """Where what makes the history stands among what was read, oldest first."""
    number = len(item_ids)
    if repeats == "all" or len(set(item_ids)) == number:
        places: Sequence[int] = range(number)
    else:  # of an item that comes again the latest is written last, and so stays
        places = sorted(dict(zip(reversed(item_ids), reversed(range(number)), strict=True)).values())
    return places[: number if repeats == "all" else history_limit][::-1]
