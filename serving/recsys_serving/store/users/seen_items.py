"""All items that a user has interacted with: what is seen, however far back the history of a model goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from recsys_serving.store.users.accounts import ACCOUNT

#: The latest items first, by the index on user and moment; one row with arrays is sooner read than many rows.
SEEN = (
    "SELECT array_agg(item_id) AS item_ids, array_agg(CAST(extract(epoch FROM latest) AS float8)) AS moments FROM ("
    "SELECT i.item_id, max(i.occurred_at) AS latest FROM interactions i "
    f"WHERE i.user_id = {ACCOUNT} AND (CAST(:types AS text[]) IS NULL OR i.type = ANY(CAST(:types AS text[]))) "
    "GROUP BY i.item_id ORDER BY latest DESC, i.item_id LIMIT :limit) seen"
)
_SEEN = text(SEEN)


def read_seen(connection: Connection, user_id: str, limit: int, types: Sequence[str] | None) -> Mapping[str, float]:
    """When a user last interacted with each item, see :meth:`recsys_serving.store.users.user_store.UserStore.seen`."""
    values = {"user_id": user_id, "limit": limit, "types": None if types is None else list(types)}
    row = connection.execute(_SEEN, values).one()
    return dict(zip(row.item_ids or (), row.moments or (), strict=True))
