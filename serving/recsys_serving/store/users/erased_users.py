"""Marks of erased users, which outlast everything else of them: what a bundle knows under such an id is not used.

They say when an id was erased, and the id only by a salted hash. A mark is deleted when no bundle has the user any
more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

#: Whether the user ``:user_id`` of the statement around it was erased.
IS_ERASED = "EXISTS (SELECT FROM erased_users e WHERE e.user_hash = erasure_hash({user_id}))"

_MARK = text(
    "INSERT INTO erased_users (user_hash, erased_at) "
    "SELECT erasure_hash(id), :at FROM unnest(CAST(:ids AS text[])) AS id "
    "ON CONFLICT (user_hash) DO UPDATE SET erased_at = greatest(erased_users.erased_at, excluded.erased_at)"
)
_SALT = text("SELECT erasure_salt()")
_READ = text("SELECT user_hash, erased_at FROM erased_users ORDER BY user_hash")
_EXPIRE = text(
    "DELETE FROM erased_users WHERE erased_at < :before AND NOT user_hash = ANY(CAST(:kept AS bytea[])) "
    "RETURNING user_hash"
)


@dataclass(frozen=True, slots=True)
class ErasedUsers:
    """All marks.

    Args:
        salt: of the hashes.
        marks: when each user was erased, by the hash of the id.
    """

    salt: str
    marks: dict[bytes, datetime]

    def __contains__(self, user_id: object) -> bool:
        """Whether a user was erased."""
        return erasure_hash(self.salt, user_id) in self.marks


def erasure_hash(salt: str, user_id: object) -> bytes:
    """What stands for an erased user, as the database computes it."""
    return hashlib.sha256(f"{salt}:{user_id}".encode()).digest()


def mark_erased(connection: Connection, user_ids: Sequence[str], at: datetime) -> None:
    """Mark users as erased at a moment; a later one counts more."""
    connection.execute(_MARK, {"ids": list(user_ids), "at": at})


def read_erased(connection: Connection) -> ErasedUsers:
    """All marks."""
    salt = connection.execute(_SALT).scalar_one()
    return ErasedUsers(salt, {bytes(row.user_hash): row.erased_at for row in connection.execute(_READ)})


def expire_erased(connection: Connection, before: datetime, kept: Collection[bytes]) -> int:
    """Delete the marks of users who were erased before a moment, but those of some hashes; how many they were."""
    return len(connection.execute(_EXPIRE, {"before": before, "kept": sorted(kept)}).all())
