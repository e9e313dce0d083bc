"""Models whose trials take a stated time by a clock that the tests own."""

from __future__ import annotations

from recsys.studies.leaderboard.budget import Budget
from recsys.studies.leaderboard.entrant import Entrant, Standing
from recsys.studies.leaderboard.final_costs import FinalCosts
from recsys.studies.leaderboard.schedule import Search, SearchActions
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult


class Clock:
    """Goes on when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Made:
    """A model whose trials take ``seconds`` and have the values ``start``, ``start + gain``, ... up to ``top``.

    Besides, each trial takes ``around`` seconds that are not part of its own, as loading the data would.
    """

    def __init__(self, name, seconds, start=0.1, gain=0.0, top=1.0, fails=(), around=0.0, **entrant):
        self.name, self.seconds, self.around = name, seconds, around
        self.start, self.gain, self.top, self.fails, self.entrant_settings = start, gain, top, fails, entrant
        self.limits: list[float] = []

    def entrant(self, clock) -> Entrant:
        self.clock, self.count = clock, len(self.entrant_settings.get("stored", ()))
        return Entrant(self.name, self.entrant_settings.pop("searchable", True), self.trial, **self.entrant_settings)

    def trial(self, limit_seconds: float) -> FinishedTrial:
        self.count += 1
        number, took = self.count, min(self.seconds, limit_seconds)
        self.limits.append(limit_seconds)
        self.clock.now += took + self.around
        if self.seconds > limit_seconds or number in self.fails:
            return FinishedTrial(number, {}, None, "too slow", took)
        value = min(self.top, self.start + self.gain * (number - 1))
        return FinishedTrial(number, {}, TrialResult(value, 0, took), wall_seconds=took)


class MadeSearch:
    """A search of made models; last fits take what a trial takes and ``start`` seconds, the page one second a pair."""

    def __init__(self, models, seconds, max_trials=1000, start=2.0, guess=None, pair=0.0, spent_before=0.0):
        self.clock, self.told, self.reasons, self.tested, self.stages = Clock(), [], {}, [], []
        self.start = start
        self.budget = Budget(seconds, spent_before, clock=self.clock)
        costs = FinalCosts(start if guess is None else guess, pair)
        actions = SearchActions(self.test, self.stages.append, self.told.append, self.reasons.__setitem__)
        entrants = [model.entrant(self.clock) for model in models]
        self.search = Search(entrants, self.budget, costs, max_trials, actions)

    def run(self, stage=0) -> list[Standing]:
        return self.search.run(stage)

    def test(self, standing: Standing, limit: float) -> None:
        self.clock.now += standing.best.wall_seconds + self.start
        self.tested.append(standing.entrant.name)
