"""The spool: a local file in which changes are safe while the store is away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recsys.errors import ServingError
from recsys_serving.spool.commands import SpoolCommand


class SpoolError(ServingError):
    """A change could not be made safe in the spool: the disk is full, or the file is damaged or cannot be written."""


class SpoolFull(SpoolError):
    """The spool has reached its largest size."""


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


class Spool:
    """Commands in order, durable once :meth:`append` returns; shared by threads and processes of one machine.

    Args:
        path: the SQLite file; made where it is missing.
        max_bytes: largest size of the file.
        busy_timeout_seconds: longest wait for another process that writes.
    """

    def __init__(self, path: Path, max_bytes: int = 1 << 30, busy_timeout_seconds: float = 5.0) -> None:
        raise NotImplementedError

    def append(self, commands: Sequence[SpoolCommand]) -> int:
        """Add commands, all or none; those whose id is there are left out. On return they are on the disk.

        Returns:
            How many were new.

        Raises:
            SpoolFull: the spool has reached its largest size.
            SpoolError: the disk is full, or the file cannot be written.
        """
        raise NotImplementedError

    def pending_for(self, user_id: str) -> tuple[SpoolCommand, ...]:
        """Commands of a user that wait, in order."""
        raise NotImplementedError

    def pending_kinds(self, kinds: Sequence[str]) -> tuple[SpoolCommand, ...]:
        """Commands of some kinds that wait, in order: changes of items, say."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Number of commands that wait."""
        raise NotImplementedError

    def size_bytes(self) -> int:
        """Size of the files of the spool."""
        raise NotImplementedError

    def drain(self, apply: Callable[[SpoolCommand], None], batch: int = 100) -> DrainResult:
        """Carry out commands in order until none waits or the store is away; one process at a time does so.

        A command goes away only after ``apply`` returned; a crash in between repeats it, so that ``apply`` must take a
        command twice as once. One that ``apply`` refuses (:class:`StoreError` other than ``StoreUnavailable``) goes to
        the dead letters, and the next one follows.

        Args:
            apply: carries out one command.
            batch: commands read and removed at a time.
        """
        raise NotImplementedError

    def dead_letters(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Commands that the store refused for good, latest first."""
        raise NotImplementedError

    def requeue_dead_letters(self) -> int:
        """Put all dead letters at the end of the spool again; returns how many."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError
