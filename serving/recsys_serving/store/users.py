"""Users: attributes, consent to profiling, merges, and the state that an answer needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from recsys_serving.store.database import Database
from recsys_serving.store.records import ErasureReceipt, MergeResult, Properties, Repeats, User, UserExport, UserState


class UserStore:
    """Users of the service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, user_id: str, properties: Properties | None = None, profiling: bool = True) -> User:
        """Make a user.

        Raises:
            Conflict: there is such a user.
        """
        raise NotImplementedError

    def get(self, user_id: str) -> User | None:
        """A user, or None; a merged one is returned as such, with ``merged_into``."""
        raise NotImplementedError

    def update(
        self,
        user_id: str,
        properties: Properties | None = None,
        profiling: bool | None = None,
        expected_revision: int | None = None,
    ) -> User:
        """Change a user.

        Args:
            user_id: the user.
            properties: attributes to set; one that is None is taken away, those not named stay (RFC 7396, top level).
            profiling: whether the history may be used; None leaves it.
            expected_revision: change only this revision; None for any.

        Raises:
            NotFound: there is no such user.
            PreconditionFailed: the user has another revision.
        """
        raise NotImplementedError

    def list_users(self, limit: int = 100, after: str | None = None) -> tuple[User, ...]:
        """Users in the order of their ids, from the first id after ``after``."""
        raise NotImplementedError

    def state(
        self,
        user_id: str,
        history_limit: int = 1000,
        types: Sequence[str] | None = None,
        repeats: Repeats = "latest",
    ) -> UserState:
        """All that an answer for the user needs, in one round trip.

        Args:
            user_id: the user; a merged one stands for the account. One that is not known has an empty history.
            history_limit: most interactions of the history; the latest ones are kept.
            types: types of interactions that count; None for all.
            repeats: whether an item stands once, with its latest interaction, or each time.
        """
        raise NotImplementedError

    def merge(self, from_user_id: str, into_user_id: str) -> MergeResult:
        """Merge a user, an anonymous one say, into an account; what comes under the old id later goes there too.

        Attributes of the account win over those of the other; profiling stays on only where it was on for both.
        A repeated merge changes nothing.

        Raises:
            NotFound: one of them is not there.
            Conflict: they are the same, or one of them was merged into another account.
        """
        raise NotImplementedError

    def export(self, user_id: str) -> UserExport:
        """All that is known of a user.

        Raises:
            NotFound: there is no such user.
        """
        raise NotImplementedError

    def erase(
        self, user_id: str, requested_at: datetime | None = None, receipt: dict[str, Any] | None = None
    ) -> ErasureReceipt:
        """Delete all of a user and of those merged into it, in one transaction.

        Args:
            user_id: the user; one that is not there gives a receipt as well, with zeros.
            requested_at: when it was asked for; None for now.
            receipt: what is kept with the receipt.
        """
        raise NotImplementedError

    def erasure(self, receipt_id: UUID) -> ErasureReceipt | None:
        """A receipt, or None."""
        raise NotImplementedError

    def annotate_erasure(self, receipt_id: UUID, receipt: Properties) -> ErasureReceipt:
        """Add to what is kept with a receipt, a signature say.

        Raises:
            NotFound: there is no such receipt.
        """
        raise NotImplementedError
