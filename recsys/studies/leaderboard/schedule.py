"""Spreads a budget of wall time over models by successive halving.

Every model is tried once with its defaults, the cheap kinds first. What is left is spent in rounds of equal time: all
models search in the first, the better half in the second, the best quarter in the third, each for an equal share of
its round; what one leaves over goes to those after it. A model that searches no more is fitted and tested at once,
which tells what the tests that are still to come will take: time is kept back for them and for the page. Where it is
short, slow models are not tried, and those that are worse on validation are not tested; the baseline and one strong
model always are.

The clock goes on whatever is done, so two benchmarks may decide otherwise. One that was interrupted goes on in the
round that it had reached, with what is left of its budget.

Source: Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, AISTATS 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recsys.studies.leaderboard.budget import Budget
from recsys.studies.leaderboard.entrant import Entrant, Standing
from recsys.studies.leaderboard.final_costs import FinalCosts

#: Share of what is left that the first trials which are still to come may take together, and the least seconds of one.
FIRST_SHARE, FIRST_SECONDS = 0.25, 2.0

#: Share of what is left that a first trial of a strong model may take where another one could stand in for it.
STRONG_SHARE = 0.4

#: Share of what is left after the first trials that last fits may take; models that are worse on validation wait.
FINAL_SHARE = 0.5

#: Share of the budget by which a last fit may probably end too late, and by which it may before it is stopped.
LATE, GRACE = 0.05, 0.1

#: Rounds after the first trials, and the stage after them.
ROUNDS = 3
FINALS = ROUNDS + 1

#: How many models search in the last round at least.
LAST = 2

#: How many models are tested whatever it takes, as a ranking needs them.
LEAST_TESTED = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """What a listener is told after a model has had its share of a stage.

    Args:
        stage: 0 for the first trials, then the number of the round; :data:`FINALS` for what was left over.
        standing: of the model.
        trials: how many trials it had in this stage.
        seconds: what they took together.
        value_before: its best value before this stage.
        elapsed: seconds of the budget that are spent.
    """

    stage: int
    standing: Standing
    trials: int
    seconds: float
    value_before: float
    elapsed: float


@dataclass(frozen=True, slots=True)
class SearchActions:
    """What a search needs done.

    Args:
        test: fits the best settings of a model and tests them, within so many seconds.
        reach: keeps the stage that was reached.
        tell: hears that a model has had its share of a stage.
        skip: hears the name of a model that is not tried, searched no further or not tested, and why.
    """

    test: Callable[[Standing, float], None]
    reach: Callable[[int], None]
    tell: Callable[[Progress], None]
    skip: Callable[[str, str], None]


class Search:
    """The search of all models, and their tests.

    Args:
        entrants: the baseline and the strong models first, then the cheap ones before the others.
        budget: of everything, the page included.
        costs: of what is to come.
        max_trials: of each model.
        actions: what is done outside.

    Attributes:
        standings: of the models, in the order of ``entrants``.
    """

    def __init__(
        self, entrants: Sequence[Entrant], budget: Budget, costs: FinalCosts, max_trials: int, actions: SearchActions
    ) -> None:
        self.standings = [Standing.of(entrant) for entrant in entrants]
        self._budget, self._costs, self._max_trials, self._actions = budget, costs, max_trials, actions
        self._told_to_be_slow: set[str] = set()
        self._for_tests = 0.0

    def run(self, stage: int = 0) -> list[Standing]:
        """Search and test until the budget is spent.

        Args:
            stage: that an earlier sitting has reached.

        Returns:
            The standings; each model is tested, or says why it is not.
        """
        self._first_trials()
        self._for_tests = FINAL_SHARE * self._room_for_tests()
        for round_ in range(max(stage, 1), ROUNDS + 1):
            self._actions.reach(round_)
            self._round(round_)
        self._actions.reach(FINALS)
        self._leftover()
        self._test_all()
        return self.standings

    def _first_trials(self) -> None:
        untried = [standing for standing in self.standings if not standing.trials]
        for place, standing in enumerate(untried):
            limit, reason = self._first_limit(standing, untried[place:])
            if reason:
                self._skip(standing, f"not tried, {reason}")
            else:
                self._try(standing, 0, limit, most=1)

    def _first_limit(self, standing: Standing, to_come: Sequence[Standing]) -> tuple[float, str]:
        """How long the first trial of a model may take, or why there is no time for it."""
        role, left = standing.entrant.role, self._budget.left
        if role == "baseline":
            return math.inf, ""
        found = [other for other in self.standings if other.best is not None]
        strong_wanted = role == "strong" and not any(other.entrant.role == "strong" for other in found)
        if strong_wanted or len(found) < LEAST_TESTED:
            others = sum(other.entrant.role == role for other in to_come) - 1
            return (math.inf if others == 0 else max(STRONG_SHARE * left, FIRST_SECONDS)), ""
        tests = sum(map(self._costs.of, found)) + self._costs.start
        tests = max(min(tests, FINAL_SHARE * left), sum(map(self._costs.of, self._always())))
        room = left - tests - self._costs.report(len(found) + 1)
        # Nothing is known of this model yet; the quickest of its kind may tell that it is hopeless.
        alike = [other.expected for other in found if other.entrant.kind == standing.entrant.kind > 0]
        if room <= 0 or min(alike, default=0.0) > room:
            seconds = f"{max(room, 0):.0f} s"
            return 0.0, (
                f"one trial takes about {min(alike):.0f} s of the {seconds} that are left"
                if alike
                else f"{seconds} are left for its first trial"
            )
        return min(room, max(FIRST_SHARE * room / len(to_come), FIRST_SECONDS)), ""

    def _round(self, round_: int) -> None:
        alive = self._alive(round_)
        for standing in self._by_value(self._finalists()):
            if standing not in alive:
                self._test(standing)
        end = self._search_left() * (1 - 1 / (ROUNDS - round_ + 1))  # what is left for later rounds
        for place, standing in enumerate(alive):
            last = round_ == ROUNDS and place == len(alive) - 1
            share = self._search_left() if last else (self._search_left() - end) / (len(alive) - place)
            self._try(standing, round_, share, most=self._max_trials)

    def _leftover(self) -> None:
        """Spend what the rounds have left, the best models first."""
        for standing in self._by_value(self._finalists()):
            self._try(standing, FINALS, self._search_left(), most=self._max_trials)

    def _try(self, standing: Standing, stage: int, share: float, most: int) -> None:
        """Run trials of a model while the next one fits into what is left of its ``share``, at most so many."""
        before, value_before, began = len(standing.trials), standing.value, self._budget.elapsed
        while len(standing.trials) - before < most and (stage == 0 or standing.goes_on(self._max_trials)):
            left = min(share - (self._budget.elapsed - began), self._search_left()) if stage > 0 else share
            if stage > 0 and standing.expected > left:
                self._too_slow(standing, left, stage, len(standing.trials) == before)
                break
            standing.trials.append(standing.entrant.trial(left))
            self._actions.reach(stage)
        new = len(standing.trials) - before
        if new:
            elapsed = self._budget.elapsed
            self._actions.tell(Progress(stage, standing, new, elapsed - began, value_before, elapsed))

    def _too_slow(self, standing: Standing, left: float, stage: int, untried: bool) -> None:
        """Tell, once, that a model is not searched at all for want of time."""
        name = standing.entrant.name
        told = name in self._told_to_be_slow or self._search_left() <= 0
        if untried and stage < FINALS and len(standing.trials) == 1 and not told:
            self._told_to_be_slow.add(name)
            why = f"one trial takes about {standing.expected:.0f} s of the {max(left, 0):.0f} s that are left for it"
            self._actions.skip(name, f"not tuned in this round, {why}")

    def _test_all(self) -> None:
        always = self._always()
        ranked = self._by_value([standing for standing in self.standings if standing.best and not standing.tested])
        for standing in [*(s for s in ranked if s in always), *(s for s in ranked if s not in always)]:
            self._test(standing, now=True)
        for standing in ranked:
            if not standing.tested:
                cost, left = self._costs.of(standing), self._room_for_tests()
                told = f"its last fit and test take about {cost:.0f} s of the {max(left, 0):.0f} s that are left"
                self._skip(standing, f"not tested, {told}")

    def _test(self, standing: Standing, now: bool = False) -> None:
        """Test a model whose search has ended, where there is time; unless ``now``, the better ones go first."""
        if standing.tested:
            return
        cost, room = self._costs.of(standing), self._room_for_tests()
        if now:
            room += LATE * self._budget.seconds
        else:
            room -= sum(self._costs.of(other) for other in self._finalists() if other is not standing)
        must = standing in self._always()
        if cost > room and not must:
            return
        began, best = self._budget.elapsed, standing.best
        assert best is not None, "what has no result is not tested"
        self._actions.test(standing, math.inf if must else room + GRACE * self._budget.seconds)
        standing.tested = True
        seconds = self._budget.elapsed - began
        self._for_tests -= seconds
        self._costs.note(seconds, best.wall_seconds)

    def _room_for_tests(self) -> float:
        found = sum(standing.best is not None for standing in self.standings)
        return self._budget.left - self._costs.report(found)

    def _search_left(self) -> float:
        """Seconds for trials."""
        return self._room_for_tests() - sum(map(self._costs.of, self._finalists()))

    def _finalists(self) -> list[Standing]:
        """The untested models that are searched and tested: as many as the time allows, the best on validation."""
        spent, chosen = 0.0, list[Standing]()
        always = self._always()
        untested = [standing for standing in self.standings if standing.best and not standing.tested]
        for standing in [*(s for s in untested if s in always), *self._by_value(untested)]:
            cost = self._costs.of(standing)
            if standing not in chosen and (standing in always or spent + cost <= self._for_tests):
                chosen.append(standing)
                spent += cost
        return chosen

    def _always(self) -> list[Standing]:
        """The models that are tested whatever it takes: the baseline, a strong one, and two in any case."""
        found = [standing for standing in self.standings if standing.best is not None]
        always = [standing for standing in found if standing.entrant.role == "baseline"]
        always += [standing for standing in found if standing.entrant.role == "strong"][:1]
        others = [standing for standing in self._by_value(found) if standing not in always]
        return [*always, *others[: max(LEAST_TESTED - len(always), 0)]]

    def _alive(self, round_: int) -> list[Standing]:
        """The models that search in a round: the best ones, the cheap ones first; in the last round the best last."""
        finalists = self._finalists()
        able = [standing for standing in finalists if standing.goes_on(self._max_trials)]
        tested = [standing for standing in self.standings if standing.best and standing.tested]
        tried = sum(standing.entrant.searchable for standing in [*finalists, *tested])
        wanted = max(LAST, math.ceil(tried / 2 ** (round_ - 1)))
        ranked = self._by_value(able)[:wanted]
        return ranked[::-1] if round_ == ROUNDS else sorted(ranked, key=lambda standing: standing.expected)

    def _skip(self, standing: Standing, reason: str) -> None:
        standing.skipped = f"{reason[0].upper()}{reason[1:]}. Give more minutes."
        self._actions.skip(standing.entrant.name, reason)

    @staticmethod
    def _by_value(standings: Sequence[Standing]) -> list[Standing]:
        return sorted(standings, key=lambda standing: -standing.value)
