"""The one way of changes: into the store, or into the spool while the store is away.

The spool also takes what comes while something waits in it, so that the changes of a user stay in their order. What is
spooled is on the disk when the call returns, and reaches the store once, later. A change that is only meant for a
certain revision has to know that revision, so it is refused while the store is away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from recsys_serving.spool.commands import (
    SpoolCommand,
    delete_interaction_command,
    delete_item_command,
    interaction_command,
    item_command,
    merge_command,
    update_item_command,
    user_command,
)
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.events.records import AppendStatus, Interaction
from recsys_serving.store.items.records import Item, ItemDraft
from recsys_serving.store.json_text import Properties
from recsys_serving.store.store import Store
from recsys_serving.store.users.records import MergeResult, User

ValueT = TypeVar("ValueT")


class RevisionUnknown(StoreUnavailable):
    """A change is meant for one revision of a record, which is not known while changes wait for the store."""


@dataclass(frozen=True, slots=True)
class WriteResult(Generic[ValueT]):
    """What became of a change.

    Args:
        value: what the store says; None where the change waits in the spool.
        is_spooled: whether it does.
    """

    value: ValueT | None
    is_spooled: bool


@dataclass(frozen=True, slots=True)
class ItemPatch:
    """Parts of an item that change; None leaves a part as it is.

    Args:
        title: a new title.
        properties: attributes to set; one that is None is taken away.
        available: whether the item may be recommended.
    """

    title: str | None = None
    properties: Properties | None = None
    available: bool | None = None

    def as_mapping(self) -> dict[str, object]:
        """Those that there are."""
        values = {"title": self.title, "properties": self.properties, "available": self.available}
        return {name: value for name, value in values.items() if value is not None}


class WriteGateway:
    """Takes changes; threads may share it.

    Args:
        store: where they go.
        spool: where they wait.
        on_spooled: told of each call whose changes went to the spool.
    """

    def __init__(self, store: Store, spool: Spool, on_spooled: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._spool = spool
        self._on_spooled = on_spooled

    def append(
        self, interactions: Sequence[Interaction], untimed: Collection[str] = ()
    ) -> WriteResult[tuple[AppendStatus, ...]]:
        """Take interactions, see :meth:`recsys_serving.store.events.interaction_store.InteractionStore.append`.

        Args:
            interactions: any number, of any users.
            untimed: ids of events whose moment is that of their arrival.
        """
        return self._write(
            lambda: self._store.interactions.append(interactions, untimed),
            [interaction_command(one, one.event_id in untimed) for one in interactions],
        )

    def delete_interaction(self, event_id: str) -> WriteResult[bool]:
        """Delete an interaction."""
        return self._write(lambda: self._store.interactions.delete(event_id), [delete_interaction_command(event_id)])

    def create_user(self, user_id: str, properties: Properties, profiling: bool) -> WriteResult[User]:
        """Make a user.

        Raises:
            Conflict: there is such a user.
        """
        return self._write(
            lambda: self._store.users.create(user_id, properties, profiling),
            [user_command(user_id, properties, profiling)],
        )

    def update_user(
        self, user_id: str, properties: Properties | None, profiling: bool | None, revision: int | None
    ) -> WriteResult[User]:
        """Change a user, see :meth:`recsys_serving.store.users.user_store.UserStore.update`."""
        return self._write(
            lambda: self._store.users.update(user_id, properties, profiling, revision),
            [user_command(user_id, properties, profiling)],
            revision,
        )

    def merge(self, from_user_id: str, into_user_id: str) -> WriteResult[MergeResult]:
        """Merge a user into another, see :meth:`recsys_serving.store.users.user_store.UserStore.merge`."""
        return self._write(
            lambda: self._store.users.merge(from_user_id, into_user_id), [merge_command(from_user_id, into_user_id)]
        )

    def create_item(self, draft: ItemDraft) -> WriteResult[Item]:
        """Make an item.

        Raises:
            Conflict: there is such an item.
        """
        return self._write(lambda: self._store.items.create(draft), [item_command(draft)])

    def put_item(self, draft: ItemDraft, revision: int | None) -> WriteResult[Item]:
        """Make an item or put it in the place of another."""
        return self._write(lambda: self._store.items.put(draft, revision), [item_command(draft)], revision)

    def put_items(self, drafts: Sequence[ItemDraft]) -> WriteResult[tuple[Item, ...]]:
        """Put several items, all or none."""
        return self._write(lambda: self._store.items.put_many(drafts), [item_command(draft) for draft in drafts])

    def update_item(self, item_id: str, changes: ItemPatch, revision: int | None) -> WriteResult[Item]:
        """Change parts of an item."""
        return self._write(
            lambda: self._store.items.update(
                item_id,
                title=changes.title,
                properties=changes.properties,
                available=changes.available,
                expected_revision=revision,
            ),
            [update_item_command(item_id, changes.as_mapping())],
            revision,
        )

    def delete_item(self, item_id: str, revision: int | None) -> WriteResult[Item]:
        """Delete an item."""
        return self._write(
            lambda: self._store.items.delete(item_id, revision), [delete_item_command(item_id)], revision
        )

    def num_waiting(self) -> int:
        """Changes in the spool."""
        return len(self._spool)

    def num_refused(self) -> int:
        """Changes that had waited, and that the store will never take: somebody should look at them."""
        return self._spool.num_dead_letters()

    def _write(
        self, write: Callable[[], ValueT], commands: Sequence[SpoolCommand], revision: int | None = None
    ) -> WriteResult[ValueT]:
        if self._spool.is_empty():
            try:
                return WriteResult(write(), is_spooled=False)
            except StoreUnavailable:
                if revision is not None:
                    raise
        elif revision is not None:
            raise RevisionUnknown(
                "Earlier changes wait for the store, so the revision of this record is not known now. Try again in "
                "a moment, or leave If-Match out."
            )
        self._spool.append(commands)
        self._on_spooled()
        return WriteResult(None, is_spooled=True)
