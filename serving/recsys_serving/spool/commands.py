"""Commands: changes of the store that wait for it, as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from recsys_serving.store.events.records import Exposure, Interaction
from recsys_serving.store.items.records import ItemDraft, ItemSource
from recsys_serving.store.json_text import Properties, to_json

#: Act of the audit that notes an erasure.
ERASED = "user.erase"

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
        command_id: id of the command: one that waits already is not taken again.
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


def interaction_command(interaction: Interaction, untimed: bool = False) -> SpoolCommand:
    """An interaction to append; its id is made of its content, so that a replay is not spooled twice.

    An event that comes with other content is spooled as well: the store refuses it, and that it was is on record.

    Args:
        interaction: what to append.
        untimed: whether the sender gave no moment, see ``InteractionStore.append``.
    """
    payload = {name: _plain(value) for name, value in asdict(interaction).items() if name != "received_at"}
    payload["untimed"] = untimed
    said = {name: value for name, value in payload.items() if not (untimed and name == "occurred_at")}
    digest = hashlib.sha256(to_json(said).encode()).hexdigest()[:16]
    return SpoolCommand(f"{interaction.event_id}:{digest}", "interaction", payload, interaction.user_id)


def interaction_of(command: SpoolCommand) -> Interaction:
    """The interaction of such a command."""
    given = {name: value for name, value in command.payload.items() if name != "untimed"}
    given["occurred_at"] = datetime.fromisoformat(given["occurred_at"])
    given["recommendation_id"] = _uuid(given["recommendation_id"])
    return Interaction(**given)


def delete_interaction_command(event_id: str, user_id: str | None = None) -> SpoolCommand:
    """An interaction to delete."""
    return _command("interaction_delete", {"event_id": event_id}, user_id)


def user_command(user_id: str, properties: Properties | None = None, profiling: bool | None = None) -> SpoolCommand:
    """A user to make or to change: attributes to set (None takes one away) and consent."""
    return _command("user_put", {"properties": dict(properties or {}), "profiling": profiling}, user_id)


def merge_command(from_user_id: str, into_user_id: str) -> SpoolCommand:
    """A user to merge into an account; it counts as a change of the account."""
    return _command("user_merge", {"from_user_id": from_user_id}, into_user_id)


def erase_command(
    user_id: str, requested_at: datetime, receipt: Properties | None = None, actor: str = "spool"
) -> SpoolCommand:
    """A user to erase; the id of the command is that of the receipt to come, and the audit names the actor."""
    payload = {"requested_at": requested_at.isoformat(), "receipt": dict(receipt or {}), "actor": actor}
    return _command("user_erase", payload, user_id)


def item_command(draft: ItemDraft) -> SpoolCommand:
    """An item to put."""
    return _command("item_put", asdict(draft) | {"source": str(draft.source), "properties": dict(draft.properties)})


def item_of(command: SpoolCommand) -> ItemDraft:
    """The item of a command that puts one."""
    return ItemDraft(**{**command.payload, "source": ItemSource(command.payload["source"])})


def update_item_command(item_id: str, changes: Mapping[str, Any]) -> SpoolCommand:
    """An item to change: any of ``title``, ``properties`` and ``available``."""
    return _command("item_update", {"item_id": item_id, "changes": dict(changes)})


def delete_item_command(item_id: str) -> SpoolCommand:
    """An item to delete."""
    return _command("item_delete", {"item_id": item_id})


def exposures_command(exposures: Sequence[Exposure]) -> SpoolCommand:
    """Lists that were shown."""
    return _command("exposures", {"exposures": [{k: _plain(v) for k, v in asdict(one).items()} for one in exposures]})


def exposures_of(command: SpoolCommand) -> tuple[Exposure, ...]:
    """The lists of such a command."""
    return tuple(_exposure(given) for given in command.payload["exposures"])


def _command(kind: CommandKind, payload: Mapping[str, Any], user_id: str | None = None) -> SpoolCommand:
    return SpoolCommand(uuid4().hex, kind, payload, user_id)


def _exposure(given: Mapping[str, Any]) -> Exposure:
    values = {field.name: given[field.name] for field in fields(Exposure)}
    propensities = values["propensities"]
    return Exposure(
        **{
            **values,
            "recommendation_id": UUID(values["recommendation_id"]),
            "shown_at": datetime.fromisoformat(values["shown_at"]),
            "item_ids": tuple(values["item_ids"]),
            "propensities": None if propensities is None else tuple(propensities),
        }
    )


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case UUID():
            return str(value)
        case tuple():
            return list(value)
    return value
