"""Spreads a budget of seconds over models by successive halving.

Every model is tried once with its defaults, the cheap kinds first. What is left is spent in rounds of equal time: all
models search in the first, the better half in the second, the best quarter in the third, each for an equal share of
its round; what one leaves over goes to those after it. Time is kept back to fit and test the best settings of each.

The clock is the sum of the seconds of the trials. So the same trials lead to the same decisions: what a search has
stored is gone through again after an interruption, and then goes on as if there had been none.

Source: Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS 2016.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from recsys.studies.tuning.study import FinishedTrial

#: Share of what is left that the first trials which are still to come may take together.
FIRST_SHARE = 0.25

#: The last fit and the test of a model take about this many times its best trial, which went on beyond the best epoch
#: where there are epochs, and these seconds.
FINAL_TIMES, FINAL_SECONDS = 0.8, 2.0

#: Rounds after the first trials.
ROUNDS = 3

#: How many models search in the last round at least.
LAST = 2

#: After so many failed trials in a row a model is searched no more.
MAX_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Entrant:
    """A model that can be tried.

    Args:
        name: of the model.
        searchable: whether another trial has other settings.
        trial: runs the next trial, for about as many seconds as it is given at most.
    """

    name: str
    searchable: bool
    trial: Callable[[float], FinishedTrial]


@dataclass(slots=True)
class Standing:
    """How far the search of one model has come.

    Args:
        entrant: the model.
        trials: its finished trials.
    """

    entrant: Entrant
    trials: list[FinishedTrial] = field(default_factory=list)

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

    @property
    def kept_back(self) -> float:
        """Seconds that the last fit and the test will probably take."""
        best = self.best
        return 0.0 if best is None else FINAL_TIMES * best.wall_seconds + FINAL_SECONDS

    def goes_on(self, max_trials: int) -> bool:
        """Whether another trial makes sense."""
        failed = len(self.trials) >= MAX_FAILURES and all(t.result is None for t in self.trials[-MAX_FAILURES:])
        return self.best is not None and self.entrant.searchable and len(self.trials) < max_trials and not failed


@dataclass(frozen=True, slots=True)
class Progress:
    """What a listener is told after a model has had its share of a stage.

    Args:
        stage: 0 for the first trials, then the number of the round.
        standing: of the model.
        trials: how many trials it had in this stage.
        seconds: what they took together.
        value_before: its best value before this stage.
        spent: seconds of all trials of all models so far.
    """

    stage: int
    standing: Standing
    trials: int
    seconds: float
    value_before: float
    spent: float


def search(
    entrants: Sequence[Entrant], seconds: float, max_trials: int, listener: Callable[[Progress], None]
) -> list[Standing]:
    """Search until the budget is spent.

    Args:
        entrants: in the order of their first trials, the cheap ones first.
        seconds: the budget of all trials, last fits and tests.
        max_trials: of each model.
        listener: hears how it goes.

    Returns:
        The standings, in the order of ``entrants``.
    """
    standings = [Standing(entrant) for entrant in entrants]

    def left() -> float:
        return seconds - sum(standing.spent + standing.kept_back for standing in standings)

    def tell(stage: int, standing: Standing, before: int, value_before: float) -> None:
        new = standing.trials[before:]
        spent = sum(standing.spent for standing in standings)
        listener(Progress(stage, standing, len(new), sum(t.wall_seconds for t in new), value_before, spent))

    for place, standing in enumerate(standings):
        share = FIRST_SHARE * left() / (len(standings) - place)
        if share > 0:
            standing.trials.append(standing.entrant.trial(share))
            tell(0, standing, 0, -math.inf)
    for round_ in range(1, ROUNDS + 1):
        end = left() * (1 - 1 / (ROUNDS - round_ + 1))  # what is left for later rounds
        alive = _alive(standings, round_, max_trials)
        for place, standing in enumerate(alive):
            share = (left() - end) / (len(alive) - place)
            if round_ == ROUNDS and place == len(alive) - 1:
                share = left()
            before, value_before = len(standing.trials), standing.value
            spent = standing.spent
            while standing.goes_on(max_trials):
                rest = share - (standing.spent - spent)
                if standing.expected > rest:
                    break
                standing.trials.append(standing.entrant.trial(rest))
            if len(standing.trials) > before:
                tell(round_, standing, before, value_before)
    return standings


def _alive(standings: Sequence[Standing], round_: int, max_trials: int) -> list[Standing]:
    """The models that search in a round: the best ones, the cheap ones first; in the last round the best last."""
    able = [standing for standing in standings if standing.goes_on(max_trials)]
    tried = sum(standing.best is not None and standing.entrant.searchable for standing in standings)
    wanted = max(LAST, math.ceil(tried / 2 ** (round_ - 1)))
    ranked = sorted(able, key=lambda standing: -standing.value)[:wanted]
    if round_ == ROUNDS:
        return ranked[::-1]
    return sorted(ranked, key=lambda standing: standing.expected)
