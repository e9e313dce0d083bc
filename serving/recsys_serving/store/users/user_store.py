"""Users: attributes, consent to profiling, merges, and the state that an answer needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed
from recsys_serving.store.events.records import Repeats
from recsys_serving.store.json_text import Properties, properties_json
from recsys_serving.store.users import erasure, merging
from recsys_serving.store.users.accounts import ACCOUNT
from recsys_serving.store.users.erased_users import ErasedUsers, expire_erased, read_erased
from recsys_serving.store.users.records import ErasureReceipt, MergeResult, User, UserExport, UserState
from recsys_serving.store.users.seen_items import read_seen
from recsys_serving.store.users.user_state import read_state

#: Longest time of one statement that moves, reads or deletes all of a user.
_WHOLE_USER_SECONDS = 60.0


class UserStore:
    """Users of the service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user_id: str, properties: Properties | None = None, profiling: bool = True) -> User:
        """Make a user.

        Raises:
            Conflict: there is such a user.
        """
        insert = text(
            "INSERT INTO users (user_id, properties, profiling) VALUES (:user_id, CAST(:properties AS jsonb), "
            ":profiling) ON CONFLICT DO NOTHING RETURNING *"
        )
        values = {"user_id": user_id, "properties": properties_json(properties or {}), "profiling": profiling}
        with self._database.transaction() as connection:
            row = connection.execute(insert, values).mappings().first()
        if row is None:
            raise Conflict(f"There is a user {user_id!r} already. Change that one, or choose another id.")
        return rows.user(row)

    def get(self, user_id: str) -> User | None:
        """A user, or None; a merged one is returned as such, with ``merged_into``."""
        with self._database.transaction() as connection:
            return _get(connection, user_id)

    def update(
        self,
        user_id: str,
        properties: Properties | None = None,
        profiling: bool | None = None,
        expected_revision: int | None = None,
    ) -> User:
        """Change a user; a merged one stands for the account.

        Args:
            user_id: the user.
            properties: attributes to set; one that is None is taken away, those not named stay (RFC 7396, top level).
            profiling: whether the history may be used; None leaves it.
            expected_revision: change only this revision; None for any.

        Raises:
            NotFound: there is no such user.
            PreconditionFailed: the user has another revision.
        """
        update = text(
            "UPDATE users SET properties = (properties || CAST(:given AS jsonb)) - CAST(:removed AS text[]), "
            "profiling = coalesce(:profiling, profiling), revision = nextval('user_revision'), updated_at = now() "
            f"WHERE user_id = {ACCOUNT} AND (CAST(:expected AS bigint) IS NULL OR revision = :expected) RETURNING *"
        )
        properties = properties or {}
        values = {
            "user_id": user_id,
            "given": properties_json({name: value for name, value in properties.items() if value is not None}),
            "removed": [name for name, value in properties.items() if value is None],
            "profiling": profiling,
            "expected": expected_revision,
        }
        with self._database.transaction() as connection:
            row = connection.execute(update, values).mappings().first()
            if row is None:
                found = _get(connection, user_id)
                if found is None:
                    raise NotFound(f"There is no user {user_id!r}.")
                raise PreconditionFailed(
                    f"Revision {expected_revision} of user {user_id!r} was to be changed, but it has {found.revision} "
                    "by now. Read it again."
                )
        return rows.user(row)

    def list_users(self, limit: int = 100, after: str | None = None, prefix: str = "") -> tuple[User, ...]:
        """Users in the order of their ids.

        Args:
            limit: most users.
            after: from the first id after this one; None: from the first.
            prefix: what their ids begin with.
        """
        conditions, values = ["true"], {"limit": limit, "prefix": prefix, "after": after}
        if prefix:  # the first condition lets the index begin where such ids do
            conditions += ["user_id >= :prefix", "starts_with(user_id, :prefix)"]
        if after is not None:
            conditions.append("user_id > :after")
        query = text(f"SELECT * FROM users WHERE {' AND '.join(conditions)} ORDER BY user_id LIMIT :limit")
        with self._database.transaction() as connection:
            return tuple(map(rows.user, connection.execute(query, values).mappings()))

    def state(
        self,
        user_id: str,
        history_limit: int = 1000,
        types: Sequence[str] | None = None,
        repeats: Repeats = "latest",
        known: UserState | None = None,
    ) -> UserState:
        """All that an answer for the user needs, in one round trip.

        Args:
            user_id: the user; a merged one stands for the account. One that is not known has an empty history.
            history_limit: most interactions of the history; the latest ones are kept.
            types: types of interactions that count; None for all.
            repeats: whether an item stands once, with its latest interaction, or each time.
            known: what was read before with the same ``history_limit``, ``types`` and ``repeats``, not long ago: its
                history is taken over where the user has the same revision. What retention has deleted since is still
                in it.
        """
        with self._database.reading() as cursor:
            return read_state(cursor, user_id, history_limit, types, repeats, known)

    def seen(self, user_id: str, limit: int = 50_000, types: Sequence[str] | None = None) -> Mapping[str, float]:
        """When a user last interacted with each item, in seconds since 1970, the latest first.

        Args:
            user_id: the user; a merged one stands for the account.
            limit: most items; the latest ones are kept.
            types: types of interactions that count; None for all.
        """
        with self._database.transaction() as connection:
            return read_seen(connection, user_id, limit, types)

    def merge(self, from_user_id: str, into_user_id: str) -> MergeResult:
        """Merge a user, an anonymous one say, into an account; what comes under the old id later goes there too.

        Attributes of the account win over those of the other; profiling stays on only where it was on for both.
        A repeated merge changes nothing.

        Raises:
            NotFound: one of them is not there.
            Conflict: they are the same, or one of them was merged into another account.
        """
        with self._database.transaction(_WHOLE_USER_SECONDS) as connection:
            return merging.merge(connection, from_user_id, into_user_id)

    def export(self, user_id: str) -> UserExport:
        """All that is known of a user; a merged one stands for the account.

        Raises:
            NotFound: there is no such user.
        """
        with self._database.transaction(_WHOLE_USER_SECONDS) as connection:
            return erasure.export(connection, user_id)

    def family_ids(self, user_id: str, locked: bool = False) -> tuple[str, ...]:
        """The id of a user's account and those of all users that were merged into it; of an unknown one its own.

        Args:
            user_id: the user.
            locked: keep others from merging or erasing them until the end of the transaction around this call.
        """
        with self._database.transaction(_WHOLE_USER_SECONDS) as connection:
            read = erasure.lock_family if locked else erasure.family_ids
            return tuple(read(connection, user_id))

    def erased(self) -> ErasedUsers:
        """Marks of all users that were erased, as far as they have not expired."""
        with self._database.transaction() as connection:
            return read_erased(connection)

    def expire_erased(self, before: datetime, kept: Collection[bytes]) -> int:
        """Delete the marks of users who were erased before a moment.

        Args:
            before: the moment.
            kept: hashes of users whose marks stay.

        Returns:
            How many were deleted.
        """
        with self._database.transaction() as connection:
            return expire_erased(connection, before, kept)

    def erase(
        self,
        user_id: str,
        requested_at: datetime | None = None,
        receipt: dict[str, Any] | None = None,
        receipt_id: UUID | None = None,
    ) -> ErasureReceipt:
        """Delete all of a user and of those merged into it, in one transaction; a merged one stands for the account.

        Args:
            user_id: the user; one that is not there gives a receipt as well, with zeros.
            requested_at: when it was asked for; None for now.
            receipt: what is kept with the receipt.
            receipt_id: id of the receipt; where there is one already, nothing is done and it is returned. None for a
                new id.
        """
        with self._database.transaction(_WHOLE_USER_SECONDS) as connection:
            return erasure.erase(connection, user_id, requested_at, receipt or {}, receipt_id)

    def erasure(self, receipt_id: UUID) -> ErasureReceipt | None:
        """A receipt, or None."""
        with self._database.transaction() as connection:
            return erasure.receipt(connection, receipt_id)

    def list_erasures(self, limit: int = 100) -> tuple[ErasureReceipt, ...]:
        """Receipts, the latest first."""
        query = text("SELECT * FROM erasures ORDER BY completed_at DESC, receipt_id LIMIT :limit")
        with self._database.transaction() as connection:
            return tuple(map(rows.erasure_receipt, connection.execute(query, {"limit": limit}).mappings()))

    def annotate_erasure(self, receipt_id: UUID, receipt: Properties) -> ErasureReceipt:
        """Add to what is kept with a receipt, a signature say.

        Raises:
            NotFound: there is no such receipt.
        """
        with self._database.transaction() as connection:
            return erasure.annotate(connection, receipt_id, receipt)


def _get(connection: Connection, user_id: str) -> User | None:
    row = connection.execute(text("SELECT * FROM users WHERE user_id = :id"), {"id": user_id}).mappings().first()
    return None if row is None else rows.user(row)
