"""Carrying out what waits in the spool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime

from recsys_serving.spool.applying import runs_of
from recsys_serving.spool.commands import SpoolCommand
from recsys_serving.store.errors import StoreError, StoreUnavailable

#: Carries out several commands as one call: why each was refused, or None. Raises where all must wait, or where one
#: spoils the call, so that nothing was done.
ApplyTogether = Callable[[Sequence[SpoolCommand]], Sequence[StoreError | None]]


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
    together: ApplyTogether | None = None,
) -> dict[int, StoreError | None]:
    """Carry out commands in order until the store is away.

    Args:
        commands: by their numbers.
        apply: carries out one.
        transaction: surrounds all of them.
        together: carries out a run of neighbours as one; None: each is carried out for itself.

    Returns:
        The numbers of those that were done, each with why it was refused, or None.
    """
    done: dict[int, StoreError | None] = {}
    numbers = iter(commands)
    runs = runs_of(list(commands.values())) if together else ([command] for command in commands.values())
    try:
        with transaction():
            for run in runs:
                for outcome in _outcomes(run, apply, together):
                    done[next(numbers)] = outcome
    except StoreUnavailable:
        # Within a transaction nothing of the batch counts; without one, what was carried out before does.
        return done if transaction is nullcontext else {}
    return done


def _outcomes(
    run: Sequence[SpoolCommand], apply: Callable[[SpoolCommand], None], together: ApplyTogether | None
) -> Iterator[StoreError | None]:
    """Why each of a run was refused, or None, as soon as that is known."""
    if together is not None and len(run) > 1:
        try:
            yield from together(run)
        except StoreUnavailable:
            raise
        except StoreError:
            # One of them spoils the run: halves find it in a few calls, and the others do not wait for it.
            middle = len(run) // 2
            yield from _outcomes(run[:middle], apply, together)
            yield from _outcomes(run[middle:], apply, together)
        return
    for command in run:
        try:
            apply(command)
        except StoreUnavailable:
            raise
        except StoreError as error:
            yield error
        else:
            yield None


class Draining:
    """One drain: carries out batch after batch, and goes around what the store does not manage.

    A command may fail again and again though the store answers: it takes too long, say. It waits on then, with all that
    follows on the same subject, and the others do not wait for it.

    Args:
        apply: carries out one command.
        transaction: surrounds a batch.
        is_alive: whether the store answers at all.
        together: carries out a run of neighbours as one; None: each is carried out for itself.
    """

    def __init__(
        self,
        apply: Callable[[SpoolCommand], None],
        transaction: Callable[[], AbstractContextManager[object]],
        is_alive: Callable[[], bool],
        together: ApplyTogether | None = None,
    ) -> None:
        self._together = together
        self._apply, self._transaction, self._is_alive = apply, transaction, is_alive
        self._held: set[tuple[str, str]] = set()
        self.is_away = False

    def carry_out(self, commands: Mapping[int, SpoolCommand]) -> dict[int, StoreError | None]:
        """What was done of a batch, see :func:`apply_all`; ``is_away`` says whether there is no use in another."""
        free = {number: command for number, command in commands.items() if not self._is_held(command)}
        done = apply_all(free, self._apply, self._transaction, self._together)
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
