"""Merging one user into another."""

from __future__ import annotations

from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.errors import Conflict, NotFound
from recsys_serving.store.users.records import MergeResult, User

_LOCK = text("SELECT * FROM users WHERE user_id IN (:old, :new) ORDER BY user_id FOR UPDATE")
_MOVE_INTERACTIONS = text(
    "WITH moved AS (UPDATE interactions SET user_id = :new WHERE user_id = :old RETURNING event_id) "
    "UPDATE interaction_keys k SET user_id = :new FROM moved WHERE k.event_id = moved.event_id"
)
_MOVE_EXPOSURES = text("UPDATE exposures SET user_id = :new WHERE user_id = :old")
_CLOSE = text(
    "UPDATE users SET merged_into = :new, properties = '{}', revision = nextval('user_revision'), updated_at = now() "
    "WHERE user_id = :old OR merged_into = :old"
)
_JOIN = text(
    "UPDATE users a SET properties = CAST(b.properties AS jsonb) || a.properties, "
    "profiling = a.profiling AND b.profiling, revision = nextval('user_revision'), updated_at = now() "
    "FROM users b WHERE a.user_id = :new AND b.user_id = :old RETURNING a.*"
)


def merge(connection: Connection, from_user_id: str, into_user_id: str) -> MergeResult:
    """Merge a user into another; see :meth:`recsys_serving.store.users.user_store.UserStore.merge`.

    Raises:
        NotFound: one of them is not there.
        Conflict: they are the same, or one of them was merged into another account.
    """
    if from_user_id == into_user_id:
        raise Conflict(f"User {from_user_id!r} cannot be merged into itself. Give two users.")
    ids = {"old": from_user_id, "new": into_user_id}
    users = {row["user_id"]: rows.user(row) for row in connection.execute(_LOCK, ids).mappings()}
    for user_id in (from_user_id, into_user_id):
        if user_id not in users:
            raise NotFound(f"There is no user {user_id!r}.")
    old, new = users[from_user_id], users[into_user_id]
    if old.merged_into == into_user_id:
        return MergeResult(new, 0)
    for user in (old, new):
        _check_not_merged(user)
    num_interactions = connection.execute(_MOVE_INTERACTIONS, ids).rowcount
    connection.execute(_MOVE_EXPOSURES, ids)
    account = connection.execute(_JOIN, ids).mappings().one()
    connection.execute(_CLOSE, ids)
    return MergeResult(rows.user(account), num_interactions)


def _check_not_merged(user: User) -> None:
    if user.merged_into is not None:
        raise Conflict(f"User {user.user_id!r} was merged into {user.merged_into!r}. Give that one instead.")
