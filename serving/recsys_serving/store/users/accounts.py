"""Accounts: the users that interactions belong to, locked while their interactions change.

A merged user stands for the account that it went into. Whoever adds, moves or deletes interactions of a user locks the
row of the account first, so that a merge or an erasure and an interaction that arrives at the same time come one after
the other.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from recsys_serving.store.errors import StoreUnavailable

#: The account of the user ``:user_id``; also of one that is not known.
ACCOUNT = "coalesce((SELECT merged_into FROM users WHERE user_id = :user_id), :user_id)"

#: Times that an account is looked for while others erase it at once.
_ATTEMPTS = 10

_LOCK = text(
    "SELECT user_id, coalesce(merged_into, user_id) AS account FROM users WHERE user_id = ANY(CAST(:ids AS text[])) "
    "ORDER BY user_id FOR NO KEY UPDATE"
)
_MAKE = text("INSERT INTO users (user_id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING")


def lock_accounts(connection: Connection, user_ids: Collection[str]) -> dict[str, str]:
    """Lock the accounts of users, making those that are unknown, until the end of the transaction.

    Returns:
        The account of each user.

    Raises:
        StoreUnavailable: others erase the same users again and again.
    """
    wanted = sorted(set(user_ids))
    for _ in range(_ATTEMPTS):
        locked = _lock(connection, wanted)
        accounts = set(locked.values()) - locked.keys()
        if accounts:
            locked |= _lock(connection, sorted(accounts))
        missing = sorted((set(wanted) | accounts) - locked.keys())
        if not missing:
            return {user_id: locked[user_id] for user_id in wanted}
        connection.execute(_MAKE, {"ids": missing})
    raise StoreUnavailable("Users that interactions belong to were erased again and again meanwhile. Try again.")


def _lock(connection: Connection, user_ids: list[str]) -> dict[str, str]:
    return {row.user_id: row.account for row in connection.execute(_LOCK, {"ids": user_ids})}
