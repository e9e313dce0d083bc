"""Items: the catalogue and its revision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from recsys_serving.store import rows
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed
from recsys_serving.store.items.records import Item, ItemDraft
from recsys_serving.store.json_text import Properties, properties_json
from recsys_serving.store.schema.revisions import next_revision, read_revision
from recsys_serving.store.schema.tables import CATALOGUE

_PUT = text(
    "INSERT INTO items (item_id, title, properties, available, source, revision) "
    "SELECT item_id, title, properties, available, source, revision FROM unnest(CAST(:item_id AS text[]), "
    "CAST(:title AS text[]), CAST(:properties AS jsonb[]), CAST(:available AS boolean[]), CAST(:source AS text[]), "
    "CAST(:revision AS bigint[])) AS given (item_id, title, properties, available, source, revision) "
    "ON CONFLICT (item_id) DO UPDATE SET title = excluded.title, properties = excluded.properties, "
    "available = excluded.available, source = excluded.source, revision = excluded.revision, updated_at = now(), "
    "created_at = CASE WHEN items.deleted_at IS NULL THEN items.created_at ELSE now() END, deleted_at = NULL "
    "RETURNING *"
)
_UPDATE = text(
    "UPDATE items SET title = coalesce(:title, title), properties = (properties || CAST(:given AS jsonb)) - "
    "CAST(:removed AS text[]), available = coalesce(:available, available), revision = :revision, updated_at = now() "
    "WHERE item_id = :item_id RETURNING *"
)
_DELETE = text(
    "UPDATE items SET deleted_at = now(), updated_at = now(), available = false, revision = :revision "
    "WHERE item_id = :item_id RETURNING *"
)


class ItemStore:
    """The catalogue. Every change raises its revision, in the same transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def revision(self) -> int:
        """The catalogue's revision: that of the item that changed last."""
        with self._database.transaction() as connection:
            return read_revision(connection, CATALOGUE)

    def get(self, item_id: str) -> Item | None:
        """An item, deleted or not, or None."""
        return self.get_many([item_id]).get(item_id)

    def get_many(self, item_ids: Sequence[str]) -> dict[str, Item]:
        """Items by their ids, deleted or not; those that are not there are left out."""
        with self._database.transaction() as connection:
            return _get(connection, item_ids)

    def list_items(self, limit: int = 100, after: str | None = None, deleted: bool = False) -> tuple[Item, ...]:
        """Items in the order of their ids, from the first id after ``after``; deleted ones only where asked for."""
        conditions = ["true"] if deleted else ["deleted_at IS NULL"]
        values: dict[str, Any] = {"limit": limit}
        if after is not None:
            conditions.append("item_id > :after")
            values["after"] = after
        query = text(f"SELECT * FROM items WHERE {' AND '.join(conditions)} ORDER BY item_id LIMIT :limit")
        with self._database.transaction() as connection:
            return tuple(map(rows.item, connection.execute(query, values).mappings()))

    def changes_since(self, revision: int, limit: int = 1000) -> tuple[Item, ...]:
        """Items that changed after a revision, deleted ones included, in the order of their revisions."""
        query = text("SELECT * FROM items WHERE revision > :revision ORDER BY revision LIMIT :limit")
        with self._database.transaction() as connection:
            found = connection.execute(query, {"revision": revision, "limit": limit}).mappings()
            return tuple(map(rows.item, found))

    def create(self, draft: ItemDraft) -> Item:
        """Make an item; a deleted one is made anew.

        Raises:
            Conflict: there is such an item.
        """
        with self._database.transaction() as connection:
            revision = next_revision(connection, CATALOGUE)
            found = _get(connection, [draft.item_id]).get(draft.item_id)
            if found is not None and found.deleted_at is None:
                raise Conflict(f"There is an item {draft.item_id!r} already. Change that one, or choose another id.")
            return _put(connection, [draft], revision)[0]

    def put(self, draft: ItemDraft, expected_revision: int | None = None) -> Item:
        """Make an item, or put another in its place.

        Raises:
            PreconditionFailed: ``expected_revision`` is given and the item has another one, or is not there.
        """
        with self._database.transaction() as connection:
            revision = next_revision(connection, CATALOGUE)
            found = _get(connection, [draft.item_id]).get(draft.item_id)
            _check_revision(draft.item_id, found, expected_revision)
            return _put(connection, [draft], revision)[0]

    def put_many(self, drafts: Sequence[ItemDraft]) -> tuple[Item, ...]:
        """Put items, in one transaction; an unchanged one keeps its revision. Of a repeated id the last counts.

        Returns:
            The items, one for each id, in the order in which the ids came first.
        """
        last = {draft.item_id: draft for draft in drafts}
        if not last:
            return ()
        with self._database.transaction() as connection:
            # The row of the revision is locked before the items are read: no other change comes in between.
            revision = next_revision(connection, CATALOGUE, by=0)
            stored = _get(connection, list(last))
            changed = [draft for draft in last.values() if not _alike(draft, stored.get(draft.item_id))]
            if changed:
                next_revision(connection, CATALOGUE, by=len(changed))
                stored |= {item.item_id: item for item in _put(connection, changed, revision + 1)}
        return tuple(stored[item_id] for item_id in last)

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
        properties = properties or {}
        values = {
            "item_id": item_id,
            "title": title,
            "given": properties_json({name: value for name, value in properties.items() if value is not None}),
            "removed": [name for name, value in properties.items() if value is None],
            "available": available,
        }
        return self._change(_UPDATE, values, expected_revision)

    def delete(self, item_id: str, expected_revision: int | None = None) -> Item:
        """Delete an item: it stays as a deleted one, so that every worker learns of it.

        Raises:
            NotFound: there is no such item, or it is deleted.
            PreconditionFailed: the item has another revision.
        """
        return self._change(_DELETE, {"item_id": item_id}, expected_revision)

    def _change(self, statement: Any, values: dict[str, Any], expected_revision: int | None) -> Item:
        item_id = values["item_id"]
        with self._database.transaction() as connection:
            revision = next_revision(connection, CATALOGUE)
            found = _get(connection, [item_id]).get(item_id)
            if found is None or found.deleted_at is not None:
                raise NotFound(f"There is no item {item_id!r}.")
            _check_revision(item_id, found, expected_revision)
            return rows.item(connection.execute(statement, values | {"revision": revision}).mappings().one())


def _get(connection: Connection, item_ids: Sequence[str]) -> dict[str, Item]:
    query = text("SELECT * FROM items WHERE item_id = ANY(CAST(:ids AS text[]))")
    found = connection.execute(query, {"ids": list(item_ids)}).mappings()
    return {row["item_id"]: rows.item(row) for row in found}


def _put(connection: Connection, drafts: Sequence[ItemDraft], first_revision: int) -> list[Item]:
    """Store items with revisions from the first one on; returns them in any order."""
    values: dict[str, Any] = {
        name: [getattr(draft, name) for draft in drafts] for name in ("item_id", "title", "available")
    }
    values["properties"] = [properties_json(draft.properties) for draft in drafts]
    values["source"] = [str(draft.source) for draft in drafts]
    values["revision"] = list(range(first_revision, first_revision + len(drafts)))
    return [rows.item(row) for row in connection.execute(_PUT, values).mappings()]


def _alike(draft: ItemDraft, item: Item | None) -> bool:
    return (
        item is not None
        and item.deleted_at is None
        and (draft.title, draft.available, draft.source) == (item.title, item.available, item.source)
        and dict(draft.properties) == dict(item.properties)
    )


def _check_revision(item_id: str, found: Item | None, expected: int | None) -> None:
    if expected is None:
        return
    if found is None or found.deleted_at is not None or found.revision != expected:
        came = "is not there" if found is None or found.deleted_at is not None else f"has {found.revision} by now"
        raise PreconditionFailed(
            f"Revision {expected} of item {item_id!r} was to be changed, but it {came}. Read it again."
        )
