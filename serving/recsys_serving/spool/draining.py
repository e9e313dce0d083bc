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
