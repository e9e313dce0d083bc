"""Items: the catalogue and its revision."""

from __future__ import annotations

from collections.abc import Sequence

from recsys_serving.store.database import Database
from recsys_serving.store.records import Item, ItemDraft, Properties


class ItemStore:
    """The catalogue. Every change raises its revision, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """The catalogue's revision: that of the item that changed last."""
        raise NotImplementedError

    def get(self, item_id: str) -> Item | None:
        """An item, deleted or not, or None."""
        raise NotImplementedError

    def get_many(self, item_ids: Sequence[str]) -> dict[str, Item]:
        """Items by their ids; those that are not there are left out."""
        raise NotImplementedError

    def list_items(self, limit: int = 100, after: str | None = None, deleted: bool = False) -> tuple[Item, ...]:
        """Items in the order of their ids, from the first id after ``after``; deleted ones only where asked for."""
        raise NotImplementedError

    def changes_since(self, revision: int, limit: int = 1000) -> tuple[Item, ...]:
        """Items that changed after a revision, deleted ones included, in the order of their revisions."""
        raise NotImplementedError

    def create(self, draft: ItemDraft) -> Item:
        """Make an item; a deleted one is made anew.

        Raises:
            Conflict: there is such an item.
        """
        raise NotImplementedError

    def put(self, draft: ItemDraft, expected_revision: int | None = None) -> Item:
        """Make an item, or put another in its place.

        Raises:
            PreconditionFailed: ``expected_revision`` is given and the item has another one, or is not there.
        """
        raise NotImplementedError

    def put_many(self, drafts: Sequence[ItemDraft]) -> tuple[Item, ...]:
        """Put items, in one transaction; an unchanged one keeps its revision. Of a repeated id the last counts."""
        raise NotImplementedError

    def update(
        self,
        item_id: str,
        *,
        title: str | None = None,
        properties: Properties | None = None,
        available: bool | None = None,
        expected_revision: int | None = None,
    ) -> Item:
        """Change parts of an item.

        Args:
            item_id: the item.
            title: a new title; None leaves it.
            properties: attributes to set; one that is None is taken away, those not named stay.
            available: whether it may be recommended; None leaves it.
            expected_revision: change only this revision; None for any.

        Raises:
            NotFound: there is no such item, or it is deleted.
            PreconditionFailed: the item has another revision.
        """
        raise NotImplementedError

    def delete(self, item_id: str, expected_revision: int | None = None) -> Item:
        """Delete an item: it stays as a deleted one, so that every worker learns of it.

        Raises:
            NotFound: there is no such item, or it is deleted.
            PreconditionFailed: the item has another revision.
        """
        raise NotImplementedError
