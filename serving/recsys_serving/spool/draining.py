"""Carrying out what waits in the spool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.store.errors import StoreError, StoreUnavailable


@dataclass(frozen=True, slots=True)
class DrainResult:
    """What a drain did.

    Args:
        applied: commands that were carried out.
        refused: commands that the store will never take; they are in :meth:`Spool.dead_letters`.
        remaining: commands that wait on.
        leader: False where another process drains.
    """

    applied: int
    refused: int
    remaining: int
    leader: bool = True


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A command that the store refused for good, and why."""

    command: SpoolCommand
    error: str
    refused_at: datetime


def apply_all(
    commands: Mapping[int, SpoolCommand],
    apply: Callable[[SpoolCommand], None],
    transaction: Callable[[], AbstractContextManager[object]],
) -> dict[int, StoreError | None]:
    """Carry out commands in order until the store is away.

    Args:
        commands: by their numbers.
        apply: carries out one.
        transaction: surrounds all of them.

    Returns:
        The numbers of those that were done, each with why it was refused, or None.
    """
    done: dict[int, StoreError | None] = {}
    try:
        with transaction():
            for number, command in commands.items():
                try:
                    apply(command)
                    done[number] = None
                except StoreUnavailable:
                    raise
                except StoreError as error:
                    done[number] = error
    except StoreUnavailable:
        # Within a transaction nothing of the batch counts; without one, what was carried out before does.
        return done if transaction is nullcontext else {}
    return done


class Draining:
    """One drain: carries out batch after batch, and goes around what the store does not manage.

    A command may fail again and again though the store answers: it takes too long, say. It waits on then, with all that
    follows on the same subject, and the others do not wait for it.

    Args:
        apply: carries out one command.
        transaction: surrounds a batch.
        is_alive: whether the store answers at all.
    """

    def __init__(
        self,
        apply: Callable[[SpoolCommand], None],
        transaction: Callable[[], AbstractContextManager[object]],
        is_alive: Callable[[], bool],
    ) -> None:
        self._apply, self._transaction, self._is_alive = apply, transaction, is_alive
        self._held: set[tuple[str, str]] = set()
        self.is_away = False

    def carry_out(self, commands: Mapping[int, SpoolCommand]) -> dict[int, StoreError | None]:
        """What was done of a batch, see :func:`apply_all`; ``is_away`` says whether there is no use in another."""
        free = {number: command for number, command in commands.items() if not self._is_held(command)}
        done = apply_all(free, self._apply, self._transaction)
        for number, command in free.items():
            if number in done or self._is_held(command):
                continue
            one = apply_all({number: command}, self._apply, self._transaction) if self._is_alive() else {}
            done |= one
            if not one:
                if not self._is_alive():
                    self.is_away = True
                    break
                self._held |= _subjects(command)
        return done

    def _is_held(self, command: SpoolCommand) -> bool:
        """Whether a command has to wait; then what follows on any of its subjects waits too, as after a merge."""
        if not self._held:
            return False
        subjects = _subjects(command)
        # Whose interaction it is that is taken back is not known: it may be one that waits.
        is_held = command.kind == "interaction_delete" or not self._held.isdisjoint(subjects)
        if is_held:
            self._held |= subjects
        return is_held


def _subjects(command: SpoolCommand) -> set[tuple[str, str]]:
    """What must stay in order: a user, both of a merge, all items, all lists."""
    if command.user_id is None:
        return {("kind", command.kind.partition("_")[0])}
    users = {command.user_id, str(command.payload.get("from_user_id", command.user_id))}
    return {("user", user) for user in users}
