from __future__ import annotations

from recsys.studies.comparison.comparing import Settings
from recsys.studies.leaderboard.entrant import Standing
from recsys.studies.leaderboard.final_costs import PAGE_SECONDS, FinalCosts, measured_pair_seconds
from tests.studies.leaderboard.made_models import Clock, Made


def tried(seconds):
    standing = Standing.of(Made("a", seconds).entrant(Clock()))
    standing.trials.append(standing.entrant.trial(99.0))
    return standing


def test_a_last_fit_takes_its_trial_and_the_guess_until_one_was_made():
    costs = FinalCosts(start=3.0, pair=0.0)
    assert costs.of(tried(5.0)) == 8.0
    for seconds, trial_seconds in ((7.0, 5.0), (9.0, 1.0), (5.0, 4.0)):  # 2, 8 and 1 beyond the trial
        costs.note(seconds, trial_seconds)
    assert costs.of(tried(5.0)) == 7.0


def test_one_that_stops_at_an_earlier_epoch_takes_nothing_off():
    costs = FinalCosts(start=3.0, pair=0.0)
    costs.note(2.0, 9.0)
    assert costs.start == 0.0


def test_what_is_tested_or_failed_costs_nothing():
    costs, done = FinalCosts(start=3.0, pair=0.0), tried(1.0)
    done.tested = True
    assert costs.of(done) == 0.0
    assert costs.of(Standing.of(Made("a", 1).entrant(Clock()))) == 0.0


def test_the_page_has_a_test_of_each_pair():
    assert FinalCosts(1.0, pair=0.5).report(4) == PAGE_SECONDS + 6 * 0.5
    assert FinalCosts(1.0, pair=0.5).report(0) == PAGE_SECONDS


def test_the_test_of_a_pair_is_timed():
    assert measured_pair_seconds(0, Settings(test="t", num_samples=10)) > 0
