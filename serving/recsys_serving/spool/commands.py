"""Commands: changes of the store that wait for it, as JSON, and how they are carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from recsys_serving.store.records import Exposure, Interaction, ItemDraft, Properties
from recsys_serving.store.store import Store

CommandKind = Literal[
    "interaction",
    "interaction_delete",
    "user_put",
    "user_merge",
    "user_erase",
    "item_put",
    "item_update",
    "item_delete",
    "exposures",
]


@dataclass(frozen=True, slots=True)
class SpoolCommand:
    """One change that waits.

    Args:
        command_id: id of the command: one that was spooled or applied is not taken again.
        kind: what is to be done.
        payload: with what; JSON.
        user_id: the user whose state it changes, or None.
        spooled_at: when it was spooled; None before.
    """

    command_id: str
    kind: CommandKind
    payload: Mapping[str, Any]
    user_id: str | None = None
    spooled_at: datetime | None = None


def interaction_command(interaction: Interaction) -> SpoolCommand:
    """An interaction to append; its id is that of the event."""
    raise NotImplementedError


def interaction_of(command: SpoolCommand) -> Interaction:
    """The interaction of such a command."""
    raise NotImplementedError


def delete_interaction_command(event_id: str, user_id: str | None = None) -> SpoolCommand:
    """An interaction to delete."""
    raise NotImplementedError


def user_command(user_id: str, properties: Properties | None = None, profiling: bool | None = None) -> SpoolCommand:
    """A user to make or to change: attributes to set (None takes one away) and consent."""
    raise NotImplementedError


def merge_command(from_user_id: str, into_user_id: str) -> SpoolCommand:
    """A user to merge into an account."""
    raise NotImplementedError


def erase_command(user_id: str, requested_at: datetime, receipt: Properties | None = None) -> SpoolCommand:
    """A user to erase."""
    raise NotImplementedError


def item_command(draft: ItemDraft) -> SpoolCommand:
    """An item to put."""
    raise NotImplementedError


def update_item_command(item_id: str, changes: Mapping[str, Any]) -> SpoolCommand:
    """An item to change: any of ``title``, ``properties`` and ``available``."""
    raise NotImplementedError


def delete_item_command(item_id: str) -> SpoolCommand:
    """An item to delete."""
    raise NotImplementedError


def exposures_command(exposures: Sequence[Exposure]) -> SpoolCommand:
    """Lists that were shown."""
    raise NotImplementedError


def apply_command(store: Store, command: SpoolCommand) -> None:
    """Carry a command out; one that was carried out before changes nothing.

    Raises:
        StoreUnavailable: the store is away: the command must wait on.
        StoreError: the store will never take it.
    """
    raise NotImplementedError
