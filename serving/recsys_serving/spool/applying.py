"""Carrying commands out in the store: one, or neighbours of one kind as one call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import get_args
from uuid import UUID

from recsys_serving.spool.commands import (
    ERASED,
    CommandKind,
    SpoolCommand,
    exposures_of,
    interaction_of,
    item_of,
)
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.errors import Conflict, NotFound, StoreError, StoreRefused
from recsys_serving.store.events.records import AppendStatus
from recsys_serving.store.store import Store

#: Field of the payload that says what a command is about, by the kinds that are carried out together.
_TOGETHER_BY = {"interaction": "event_id", "item_put": "item_id"}


def apply_command(store: Store, command: SpoolCommand) -> None:
    """Carry a command out; one that was carried out before changes nothing more.

    Raises:
        StoreUnavailable: the store is away: the command must wait on.
        StoreError: the store will never take it.
    """
    carry_out = _CARRY_OUT.get(command.kind)
    if carry_out is None:
        raise StoreRefused(f"A command must be one of {', '.join(get_args(CommandKind))}, and is {command.kind!r}.")
    with _readable(command.command_id):
        carry_out(store, command)


def runs_of(commands: Sequence[SpoolCommand]) -> Iterator[list[SpoolCommand]]:
    """Commands in order, as runs that :func:`apply_together` may take, most often of one command.

    A longer run is of one kind that is appended or put, and each command of it is about something else, so that the
    outcome is that of one after the other.
    """
    run: list[SpoolCommand] = []
    subjects: set[str] = set()
    for command in commands:
        field = _TOGETHER_BY.get(command.kind)
        subject = "" if field is None else str(command.payload.get(field))
        if run and (field is None or command.kind != run[0].kind or subject in subjects):
            yield run
            run, subjects = [], set()
        run.append(command)
        subjects.add(subject)
    if run:
        yield run


def apply_together(store: Store, commands: Sequence[SpoolCommand]) -> list[StoreError | None]:
    """Carry out a run of :func:`runs_of` that has several commands, in one transaction.

    Returns:
        Why each was refused, or None.

    Raises:
        StoreUnavailable: the store is away: all must wait on.
        StoreError: the store will never take one of them; nothing was done.
    """
    with _readable(commands[0].command_id):
        if commands[0].kind == "interaction":
            return _append_interactions(store, commands)
        store.items.put_many([item_of(command) for command in commands])
        return [None] * len(commands)


@contextmanager
def _readable(command_id: str) -> Iterator[None]:
    try:
        yield
    except StoreError:  # a ValueError, as all of ours are
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreRefused(f"Command {command_id!r} cannot be read: {error!r}.") from error


def _append_interactions(store: Store, commands: Sequence[SpoolCommand]) -> list[StoreError | None]:
    interactions = [interaction_of(command) for command in commands]
    untimed = [command.payload["event_id"] for command in commands if command.payload["untimed"]]
    return [
        Conflict(f"Event {one.event_id!r} is stored with other content. Use a new id for each event.")
        if status is AppendStatus.CONFLICT
        else None
        for one, status in zip(interactions, store.interactions.append(interactions, untimed), strict=True)
    ]


def _append_interaction(store: Store, command: SpoolCommand) -> None:
    (error,) = _append_interactions(store, [command])
    if error is not None:
        raise error


def _delete_interaction(store: Store, command: SpoolCommand) -> None:
    store.interactions.delete(command.payload["event_id"])


def _put_user(store: Store, command: SpoolCommand) -> None:
    user_id, properties, profiling = _user_of(command), command.payload["properties"], command.payload["profiling"]
    try:
        store.users.update(user_id, properties, profiling)
    except NotFound:
        given = {name: value for name, value in properties.items() if value is not None}
        store.users.create(user_id, given, profiling is not False)


def _merge_users(store: Store, command: SpoolCommand) -> None:
    store.users.merge(command.payload["from_user_id"], _user_of(command))


def _erase_user(store: Store, command: SpoolCommand) -> None:
    payload, receipt_id = command.payload, UUID(command.command_id)
    with store.transaction():
        if store.users.erasure(receipt_id) is None:
            requested_at = datetime.fromisoformat(payload["requested_at"])
            store.users.erase(_user_of(command), requested_at, payload["receipt"], receipt_id)
            store.audit.append(AuditEntry(payload.get("actor", "spool"), ERASED, str(receipt_id)))


def _put_item(store: Store, command: SpoolCommand) -> None:
    store.items.put_many([item_of(command)])


def _update_item(store: Store, command: SpoolCommand) -> None:
    store.items.update(command.payload["item_id"], **command.payload["changes"])


def _delete_item(store: Store, command: SpoolCommand) -> None:
    found = store.items.get(command.payload["item_id"])
    if found is None or found.deleted_at is None:
        store.items.delete(command.payload["item_id"])


def _append_exposures(store: Store, command: SpoolCommand) -> None:
    store.exposures.append(exposures_of(command))


_CARRY_OUT: Mapping[str, Callable[[Store, SpoolCommand], None]] = {
    "interaction": _append_interaction,
    "interaction_delete": _delete_interaction,
    "user_put": _put_user,
    "user_merge": _merge_users,
    "user_erase": _erase_user,
    "item_put": _put_item,
    "item_update": _update_item,
    "item_delete": _delete_item,
    "exposures": _append_exposures,
}


def _user_of(command: SpoolCommand) -> str:
    if command.user_id is None:
        raise StoreRefused(f"Command {command.command_id!r} needs a user and names none.")
    return command.user_id
