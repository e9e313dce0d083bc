"""Interactions: appended once each, read by user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from recsys_serving.store.database import Database
from recsys_serving.store.records import AppendStatus, Interaction, InteractionPage


class InteractionStore:
    """Interactions of all users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, interactions: Sequence[Interaction]) -> tuple[AppendStatus, ...]:
        """Store interactions, in one transaction, and raise the revisions of their users.

        An unknown user is made; that of a merged user goes to the account.

        Args:
            interactions: any number, of any users.

        Returns:
            The status of each, in the given order.

        Raises:
            StoreUnavailable: nothing is stored.
            StoreRefused: a value cannot be stored, such as a text with a null character; nothing is stored.
        """
        raise NotImplementedError

    def get(self, event_id: str) -> Interaction | None:
        """The interaction of an event, or None."""
        raise NotImplementedError

    def delete(self, event_id: str) -> bool:
        """Delete one interaction and raise its user's revision; False where there is none."""
        raise NotImplementedError

    def list_for_user(
        self,
        user_id: str,
        limit: int = 100,
        cursor: tuple[datetime, str] | None = None,
        types: Sequence[str] | None = None,
    ) -> InteractionPage:
        """A page of a user's interactions, latest first.

        Args:
            user_id: the user; a merged one stands for the account.
            limit: most interactions of the page.
            cursor: ``next_cursor`` of the page before, or None for the first.
            types: only these types; None for all.
        """
        raise NotImplementedError
