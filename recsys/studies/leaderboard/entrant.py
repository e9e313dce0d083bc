"""A model in the search of a leaderboard, and how far its search has come."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from recsys.studies.tuning.finished_trial import FinishedTrial

#: ``baseline``: tried and tested whatever it takes. ``strong``: the first model of this role with a result, too.
Role = Literal["", "baseline", "strong"]

#: After so many failed trials in a row a model is searched no more.
MAX_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model that can be tried.

    Args:
        name: of the model.
        searchable: whether another trial has other settings.
        trial: runs a new trial, for about as many seconds as it is given at most.
        kind: models of one kind take about as long (:attr:`recsys.studies.leaderboard.jobs.ModelFacts.order`).
        role: whether the model takes part whatever the time.
        stored: trials of an earlier sitting.
        tested: whether an earlier sitting has tested it.
    """

    name: str
    searchable: bool
    trial: Callable[[float], FinishedTrial]
    kind: int = 0
    role: Role = ""
    stored: Sequence[FinishedTrial] = ()
    tested: bool = False


@dataclass(slots=True)
class Standing:
    """How far the search of one model has come.

    Args:
        entrant: the model.
        trials: its finished trials.
        tested: whether its best settings were fitted and tested, with success or not.
        skipped: why it was not tried, or not tested; empty where it was.
    """

    entrant: Entrant
    trials: list[FinishedTrial] = field(default_factory=list)
    tested: bool = False
    skipped: str = ""

    @classmethod
    def of(cls, entrant: Entrant) -> Standing:
        """With what earlier sittings have done."""
        return cls(entrant, list(entrant.stored), entrant.tested)

    @property
    def best(self) -> FinishedTrial | None:
        """The trial with the highest value, of equal ones the first; None if there is none."""
        done = [trial for trial in self.trials if trial.result is not None]
        return max(done, key=lambda trial: trial.result.value if trial.result else 0.0) if done else None

    @property
    def value(self) -> float:
        """The highest value."""
        best = self.best
        return best.result.value if best is not None and best.result is not None else -math.inf

    @property
    def spent(self) -> float:
        """Seconds of all trials."""
        return sum(trial.wall_seconds for trial in self.trials)

    @property
    def expected(self) -> float:
        """Seconds that another trial will probably take."""
        return statistics.median(trial.wall_seconds for trial in self.trials)

    def goes_on(self, max_trials: int) -> bool:
        """Whether another trial makes sense."""
        failed = len(self.trials) >= MAX_FAILURES and all(t.result is None for t in self.trials[-MAX_FAILURES:])
        open_ = self.best is not None and self.entrant.searchable and not self.tested
        return open_ and len(self.trials) < max_trials and not failed
