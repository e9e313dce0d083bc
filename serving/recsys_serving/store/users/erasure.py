"""The rights of a user: to have all that is known of them, and to have it deleted."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.errors import NotFound
from recsys_serving.store.json_text import Properties, properties_json
from recsys_serving.store.users.accounts import ACCOUNT
from recsys_serving.store.users.erased_users import mark_erased
from recsys_serving.store.users.records import ErasureReceipt, UserExport

_ACCOUNT = text(f"SELECT {ACCOUNT}")
_LOCK = text("SELECT merged_into FROM users WHERE user_id = :user_id FOR UPDATE")
_FAMILY = "SELECT * FROM users WHERE user_id = :account OR merged_into = :account ORDER BY user_id"
_FAMILY_IDS = text("SELECT user_id FROM users WHERE merged_into = :account")
_DELETE_INTERACTIONS = text(
    "WITH gone AS (DELETE FROM interactions WHERE user_id = ANY(CAST(:ids AS text[])) RETURNING event_id) "
    "DELETE FROM interaction_keys k USING gone WHERE k.event_id = gone.event_id"
)
_DELETE_EXPOSURES = text("DELETE FROM exposures WHERE user_id = ANY(CAST(:ids AS text[]))")
_DELETE_USERS = text("DELETE FROM users WHERE user_id = ANY(CAST(:ids AS text[]))")
_KEEP_RECEIPT = text(
    "INSERT INTO erasures (receipt_id, user_hash, requested_at, completed_at, deleted, receipt) VALUES "
    "(:receipt_id, :user_hash, :requested_at, :completed_at, CAST(:deleted AS jsonb), CAST(:receipt AS jsonb)) "
    "RETURNING *"
)


def export(connection: Connection, user_id: str) -> UserExport:
    """All that is known of a user; see :meth:`recsys_serving.store.users.user_store.UserStore.export`.

    Raises:
        NotFound: there is no such user.
    """
    account = connection.execute(_ACCOUNT, {"user_id": user_id}).scalar_one()
    values = {"account": account}
    family = [rows.user(row) for row in connection.execute(text(_FAMILY), values).mappings()]
    user = next((one for one in family if one.user_id == account), None)
    if user is None:
        raise NotFound(f"There is no user {user_id!r}.")
    interactions = text(
        f"SELECT {rows.INTERACTION_COLUMNS} FROM interactions i WHERE i.user_id = :account "
        "ORDER BY i.occurred_at, i.event_id"
    )
    exposures = text("SELECT * FROM exposures WHERE user_id = :account ORDER BY shown_at, recommendation_id")
    return UserExport(
        user=user,
        merged_users=tuple(one for one in family if one is not user),
        interactions=tuple(map(rows.interaction, connection.execute(interactions, values).mappings())),
        exposures=tuple(map(rows.exposure, connection.execute(exposures, values).mappings())),
    )


def erase(
    connection: Connection,
    user_id: str,
    requested_at: datetime | None,
    about: Properties,
    receipt_id: UUID | None = None,
) -> ErasureReceipt:
    """Delete all of a user and write the receipt; see :meth:`recsys_serving.store.users.user_store.UserStore.erase`."""
    done = None if receipt_id is None else receipt(connection, receipt_id)
    if done is not None:
        return done
    ids = lock_family(connection, user_id)
    deleted = {
        table: connection.execute(statement, {"ids": ids}).rowcount
        for table, statement in (
            ("interactions", _DELETE_INTERACTIONS),
            ("exposures", _DELETE_EXPOSURES),
            ("users", _DELETE_USERS),
        )
    }
    connection.execute(text("SELECT nextval('user_revision')"))  # who reads for training sees that something changed
    receipt_id = receipt_id or uuid4()
    now = datetime.now(UTC)
    mark_erased(connection, ids, requested_at or now)
    values = {
        "receipt_id": receipt_id,
        "user_hash": user_hash(receipt_id, user_id),
        "requested_at": requested_at or now,
        "completed_at": now,
        "deleted": properties_json(deleted),
        "receipt": properties_json(about),
    }
    return rows.erasure_receipt(connection.execute(_KEEP_RECEIPT, values).mappings().one())


def family_ids(connection: Connection, user_id: str) -> list[str]:
    """The id of an account and those of all that were merged into it; of a user who is not known the id alone."""
    account = connection.execute(_ACCOUNT, {"user_id": user_id}).scalar_one()
    return sorted({account, *connection.execute(_FAMILY_IDS, {"account": account}).scalars()})


def lock_family(connection: Connection, user_id: str) -> list[str]:
    """Lock an account and all that were merged into it; returns their ids.

    The account is locked first: a merge that took place meanwhile shows in what is read after that.
    """
    account = user_id
    while (merged_into := connection.execute(_LOCK, {"user_id": account}).scalar()) is not None:
        account = merged_into
    members = connection.execute(text(f"{_FAMILY} FOR UPDATE"), {"account": account}).mappings()
    return sorted({account, *(row["user_id"] for row in members)})


def user_hash(receipt_id: UUID, user_id: str) -> str:
    """What stands for a user in a receipt: who has both can check that they belong together."""
    return hashlib.sha256(f"{receipt_id}:{user_id}".encode()).hexdigest()


def receipt(connection: Connection, receipt_id: UUID) -> ErasureReceipt | None:
    """A receipt, or None."""
    query = text("SELECT * FROM erasures WHERE receipt_id = :id")
    row = connection.execute(query, {"id": receipt_id}).mappings().first()
    return None if row is None else rows.erasure_receipt(row)


def annotate(connection: Connection, receipt_id: UUID, addition: Properties) -> ErasureReceipt:
    """Add to what is kept with a receipt.

    Raises:
        NotFound: there is no such receipt.
    """
    update = text(
        "UPDATE erasures SET receipt = receipt || CAST(:addition AS jsonb) WHERE receipt_id = :id RETURNING *"
    )
    values = {"id": receipt_id, "addition": properties_json(addition)}
    row = connection.execute(update, values).mappings().first()
    if row is None:
        raise NotFound(f"There is no receipt {receipt_id}.")
    return rows.erasure_receipt(row)
