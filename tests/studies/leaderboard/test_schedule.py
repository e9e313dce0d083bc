from __future__ import annotations

import pytest

from recsys.studies.leaderboard.schedule import FINAL_SECONDS, FINAL_TIMES, ROUNDS, Progress, Standing, search
from recsys.studies.tuning.objective import TrialResult
from recsys.studies.tuning.study import FinishedTrial


class Made:
    """A model whose trials take ``seconds`` and have the values ``start``, ``start + gain``, ... up to ``top``."""

    def __init__(self, name, seconds, start=0.1, gain=0.0, top=1.0, searchable=True, fails=()):
        self.name, self.searchable = name, searchable
        self.seconds, self.start, self.gain, self.top, self.fails = seconds, start, gain, top, fails
        self.limits: list[float] = []

    def trial(self, limit_seconds: float) -> FinishedTrial:
        number = len(self.limits) + 1
        self.limits.append(limit_seconds)
        if self.seconds > limit_seconds or number in self.fails:
            return FinishedTrial(number, {}, None, "too slow", min(self.seconds, limit_seconds))
        value = min(self.top, self.start + self.gain * (number - 1))
        return FinishedTrial(number, {}, TrialResult(value, 0, self.seconds), wall_seconds=self.seconds)


def run(entrants, seconds=1000.0, max_trials=1000) -> list[Standing]:
    return search(entrants, seconds, max_trials, lambda progress: None)


def used(standings) -> float:
    """What trials, last fits and tests take together."""
    best = [standing.best for standing in standings]
    return sum(s.spent for s in standings) + sum(FINAL_TIMES * b.wall_seconds + FINAL_SECONDS for b in best if b)


def test_every_model_is_tried_once_before_any_is_tried_again():
    told: list[Progress] = []
    models = [Made("a", 1), Made("b", 5), Made("c", 2)]
    search(models, 500, 1000, told.append)
    assert [(p.stage, p.standing.entrant.name) for p in told[:3]] == [(0, "a"), (0, "b"), (0, "c")]
    assert all(p.stage > 0 for p in told[3:])


def test_the_budget_is_spent_and_not_overspent():
    standings = run([Made("a", 1), Made("b", 3, start=0.2), Made("c", 10, start=0.15)], seconds=600)
    assert 600 - 10 <= used(standings) <= 600


def test_in_the_end_the_best_half_and_quarter_search_more():
    standings = run([Made(name, 1.0, start=level / 10) for level, name in enumerate("abcdefgh")], 900)
    counts = [len(standing.trials) for standing in standings]
    assert max(counts[:4]) - min(counts[:4]) <= 2
    assert max(counts[:4]) < min(counts[4:6]) and max(counts[4:6]) < min(counts[6:])


def test_models_that_take_the_same_time_get_as_many_trials():
    standings = run([Made("a", 2.0, top=0.1), Made("b", 2.0, top=0.1)], 200)
    assert abs(len(standings[0].trials) - len(standings[1].trials)) <= ROUNDS


def test_a_model_that_takes_longer_than_its_share_is_left_at_that():
    slow = Made("slow", 400)
    standings = run([Made("a", 1), slow], seconds=300)
    assert standings[1].best is None and len(slow.limits) == 1
    assert standings[0].best is not None


def test_without_anything_to_search_one_trial_is_all():
    standings = run([Made("a", 1, searchable=False), Made("b", 1)], 100)
    assert [len(standings[0].trials), len(standings[1].trials) > 5] == [1, True]


def test_no_model_has_more_trials_than_it_may():
    assert [len(standing.trials) for standing in run([Made("a", 1), Made("b", 1)], 1000, max_trials=7)] == [7, 7]


def test_after_three_failures_in_a_row_a_model_is_searched_no_more():
    standings = run([Made("a", 1, fails=(3, 5, 6, 7)), Made("b", 1)], 1000, max_trials=20)
    assert len(standings[0].trials) == 7
    assert standings[0].best is not None and standings[0].best.number == 1


def test_where_no_time_is_left_a_model_is_not_tried():
    standings = run([Made("a", 0.1), Made("b", 0.1)], seconds=2.05)
    assert [len(standing.trials) for standing in standings][1] == 0


@pytest.mark.parametrize("known", [0, 1, 5, 17])
def test_with_stored_trials_the_same_decisions_are_made(known):
    """Stored trials come back at once, whatever the limit; so the rest is as without an interruption."""

    class Stored(Made):
        def __init__(self, *arguments, stored):
            super().__init__(*arguments)
            self.stored = list(stored)

        def trial(self, limit_seconds):
            fresh = super().trial(limit_seconds)
            return self.stored[len(self.limits) - 1] if len(self.limits) <= len(self.stored) else fresh

    def models():
        return [("a", 1.0, 0.1, 0.01), ("b", 2.5, 0.2, 0.0), ("c", 4.0, 0.05, 0.02)]

    whole = run([Made(*model) for model in models()], 400)
    again = run([Stored(*m, stored=s.trials[:known]) for m, s in zip(models(), whole, strict=True)], 400)
    assert [standing.trials for standing in again] == [standing.trials for standing in whole]
