"""The slots of a study: each is one set of settings, with all attempts to measure it.

Workers share nothing but the storage, which can neither count for them nor queue a trial once only. So each worker
works out from the stored trials, by the same rules, which of them count. Slots stand in the order of their first
attempts. Where a worker is lost, the same settings are queued again as the next attempt of the slot. Of several trials
that stand for the same attempt (two workers queued it at once) only the one with the lowest number counts; the others
are never measured.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna.trial import FrozenTrial

# Attributes of a trial in the storage.
ORIGIN = "origin"  #: number of the first attempt
ATTEMPT = "attempt"  #: from 0
START = "start"  #: whether it has the settings that are configured
WORKER = "worker"  #: who measures it
OVERRIDES = "overrides"  #: its settings; there once they are all drawn
ERROR = "error"  #: why its settings were refused
INTERRUPTED = "interrupted"  #: whether a user stopped its worker
SURPLUS = "surplus"  #: whether it was one too many, and was given back


@dataclass(frozen=True, slots=True)
class Slot:
    """One set of settings of a study.

    Args:
        attempts: the trials that measure it, in their order; at least one. Each but the last was lost.
        retries: how many lost workers a set of settings may cost beside the first.
    """

    attempts: tuple[FrozenTrial, ...]
    retries: int

    @property
    def origin(self) -> int:
        """Number of the first attempt in the storage."""
        return self.attempts[0].number

    @property
    def last(self) -> FrozenTrial:
        """The last attempt."""
        return self.attempts[-1]

    @property
    def losses(self) -> int:
        """How many workers were lost while they measured it; those that a user stopped do not count."""
        return sum(_is_lost(trial) and not trial.user_attrs.get(INTERRUPTED, False) for trial in self.attempts)

    @property
    def is_waiting(self) -> bool:
        """Whether it is queued."""
        return self.last.state.name == "WAITING"

    @property
    def is_finished(self) -> bool:
        """Whether it has a result or an error, or has cost as many workers as it may."""
        return self.last.state.is_finished() and not self.is_to_be_repeated

    @property
    def is_given_up(self) -> bool:
        """Whether it has neither a result nor an error, and has cost as many workers as it may."""
        return _is_lost(self.last) and not self.is_to_be_repeated

    @property
    def is_to_be_repeated(self) -> bool:
        """Whether its last attempt was lost, and none is queued yet."""
        return _is_lost(self.last) and self.losses <= self.retries

    @property
    def error(self) -> str:
        """Why it failed; empty if it did not."""
        if _is_lost(self.last):
            workers = f"{self.losses} worker{'s' * (self.losses > 1)}"
            return f"given up, as {workers} ended without a result in it, perhaps for want of memory"
        return str(self.last.user_attrs.get(ERROR, ""))

    def next_attempt(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Parameters and attributes of the trial that repeats the last one.

        Where the last one was lost before all its settings were drawn, they are drawn anew, as they would have been.
        """
        last = self.last
        drawn = OVERRIDES in last.user_attrs
        kept = {name: last.user_attrs[name] for name in (START, OVERRIDES) if name in last.user_attrs}
        parameters = last.params if drawn else last.system_attrs.get("fixed_params", {})
        return dict(parameters), kept | {ORIGIN: self.origin, ATTEMPT: len(self.attempts)}


def slots(trials: Iterable[FrozenTrial], retries: int) -> list[Slot]:
    """The slots of a study in their order.

    Args:
        trials: all of the storage, by their numbers.
        retries: how many lost workers a set of settings may cost beside the first.
    """
    chains: dict[int, dict[int, FrozenTrial]] = {}
    start: int | None = None
    for trial in trials:
        noted = trial.user_attrs
        origin, attempt = int(noted.get(ORIGIN, trial.number)), int(noted.get(ATTEMPT, 0))
        if noted.get(SURPLUS, False) or _is_void(trial):
            continue
        if attempt == 0 and noted.get(START, False):
            start = trial.number if start is None else start
            if trial.number != start:
                continue
        chains.setdefault(origin, {}).setdefault(attempt, trial)
    return [Slot(tuple(chains[origin][n] for n in sorted(chains[origin])), retries) for origin in sorted(chains)]


def _is_void(trial: FrozenTrial) -> bool:
    """Whether it ended before anybody had begun to measure it."""
    return trial.state.name == "FAIL" and ERROR not in trial.user_attrs and not _is_lost(trial)


def _is_lost(trial: FrozenTrial) -> bool:
    """Whether it ended without a result or an error, though a worker had it, or it had been queued."""
    begun = WORKER in trial.user_attrs or ORIGIN in trial.user_attrs or "fixed_params" in trial.system_attrs
    return trial.state.name == "FAIL" and ERROR not in trial.user_attrs and begun
