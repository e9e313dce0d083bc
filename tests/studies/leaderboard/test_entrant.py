from __future__ import annotations

import math

from recsys.studies.leaderboard.entrant import Entrant, Standing
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult


def standing(*values, seconds=2.0, **entrant):
    trials = [
        FinishedTrial(number, {}, None if value is None else TrialResult(value, 0, 1.0), wall_seconds=seconds * number)
        for number, value in enumerate(values, start=1)
    ]
    return Standing.of(Entrant("toy", True, lambda limit: trials[0], stored=trials, **entrant))


def test_the_best_trial_is_the_first_of_the_highest_value():
    found = standing(0.1, 0.3, None, 0.3)
    assert (found.best.number, found.value) == (2, 0.3)
    assert standing(None).best is None and standing(None).value == -math.inf


def test_another_trial_takes_what_most_have_taken():
    found = standing(0.1, 0.2, 0.3)  # 2, 4 and 6 seconds
    assert (found.expected, found.spent) == (4.0, 12.0)


def test_it_goes_on_while_it_finds_something_and_is_not_tested():
    assert standing(0.1, None, None).goes_on(10)
    assert not standing(0.1, None, None, None).goes_on(10)
    assert not standing(None).goes_on(10)
    assert not standing(0.1, 0.2).goes_on(2)
    assert not standing(0.1, tested=True).goes_on(10)
