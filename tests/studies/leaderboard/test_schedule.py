from __future__ import annotations

import math

import pytest

from recsys.studies.leaderboard.final_costs import PAGE_SECONDS
from recsys.studies.leaderboard.schedule import FINALS, GRACE, ROUNDS
from recsys.studies.tuning.finished_trial import FinishedTrial
from recsys.studies.tuning.objective import TrialResult
from tests.studies.leaderboard.made_models import Made, MadeSearch


def counts(made):
    return {standing.entrant.name: len(standing.trials) for standing in made.search.standings}


def test_every_model_is_tried_once_before_any_is_tried_again():
    made = MadeSearch([Made("a", 1), Made("b", 5), Made("c", 2)], 500)
    made.run()
    assert [(p.stage, p.standing.entrant.name) for p in made.told[:3]] == [(0, "a"), (0, "b"), (0, "c")]
    assert all(p.stage > 0 for p in made.told[3:])


@pytest.mark.parametrize("around", [0.0, 1.5])
@pytest.mark.parametrize(("guess", "start"), [(3.0, 3.0), (1.0, 8.0), (12.0, 3.0)])
@pytest.mark.parametrize("minutes", [2.0, 3.0, 10.0])
def test_the_budget_is_spent_and_not_overspent_by_the_clock(minutes, guess, start, around):
    """Whatever last fits were guessed to take, and whatever passes around the trials."""
    models = [Made(name, 1.0 + place / 2, start=0.1 + place / 50, around=around) for place, name in enumerate("abcdef")]
    made = MadeSearch([Made("zero", 0.1, role="baseline"), *models], 60 * minutes, start=start, guess=guess)
    made.run()
    took = made.budget.elapsed + PAGE_SECONDS
    assert 0.85 * 60 * minutes <= took <= 1.02 * 60 * minutes
    assert len(made.tested) == 7 or (minutes == 2.0 and start == 8.0)  # seven tests would take more than half of it


def test_in_the_end_the_best_half_and_quarter_search_more():
    made = MadeSearch([Made(name, 1.0, start=level / 10) for level, name in enumerate("abcdefgh")], 900)
    made.run()
    number = list(counts(made).values())
    assert max(number[:4]) - min(number[:4]) <= 2
    assert max(number[:4]) < min(number[4:6]) and max(number[4:6]) < min(number[6:])


def test_a_model_that_searches_no_more_is_tested_before_the_next_round():
    made = MadeSearch([Made(name, 1.0, start=level / 10) for level, name in enumerate("abcdefgh")], 900)
    made.run()
    assert made.tested == ["d", "c", "b", "a", "f", "e", "h", "g"]


def test_models_that_take_the_same_time_get_as_many_trials():
    made = MadeSearch([Made("a", 2.0, top=0.1), Made("b", 2.0, top=0.1)], 200)
    made.run()
    assert abs(counts(made)["a"] - counts(made)["b"]) <= ROUNDS


def test_a_model_that_takes_longer_than_its_share_is_left_at_that():
    slow = Made("slow", 400)
    made = MadeSearch([Made("a", 1), Made("b", 1), slow], 300)
    *_, standing = made.run()
    assert standing.best is None and len(slow.limits) == 1
    assert made.tested == ["a", "b"]


def test_a_slow_model_is_not_tried_where_the_quickest_of_its_kind_takes_more_than_is_left():
    slow = [FinishedTrial(1, {}, TrialResult(0.1, 3, 70.0), wall_seconds=70.0)]
    made = MadeSearch([Made("a", 1), Made("mf", 70, kind=1, stored=slow), Made("neumf", 5, kind=1)], 95)
    made.run()
    assert made.reasons["neumf"].startswith("not tried, one trial takes about 70 s of the ")
    assert made.reasons["neumf"].endswith(" s that are left")
    assert made.search.standings[2].skipped.startswith("Not tried, one trial takes about 70 s")


def test_the_baseline_and_one_strong_model_are_tried_and_tested_whatever_they_take():
    baseline, strong = Made("popular", 50, role="baseline"), Made("ease", 90, start=0.3, role="strong")
    other = Made("knn", 1, start=0.9, role="strong")
    made = MadeSearch([baseline, strong, other, Made("mf", 1, kind=1)], 10)
    made.run()
    assert baseline.limits == [math.inf]
    assert strong.limits == [2.0]  # it fails: nothing is left for it, and another one can stand in
    assert other.limits == [math.inf]
    assert made.tested == ["knn", "popular"]
    assert made.reasons == {"mf": "not tried, 0 s are left for its first trial"}


def test_two_models_are_tested_where_there_is_neither_baseline_nor_strong_model():
    made = MadeSearch([Made(name, 1, start=level / 10) for level, name in enumerate("abc")], 13, start=10.0)
    made.run()
    assert sorted(made.tested) == ["a", "b"]
    assert made.reasons == {"c": "not tried, 0 s are left for its first trial"}


def test_where_last_fits_take_too_long_those_that_are_worse_on_validation_are_not_tested():
    models = [Made(name, 1, start=level / 10) for level, name in enumerate("abcdefgh")]
    made = MadeSearch([Made("zero", 0.1, start=0.0, role="baseline"), *models], 60, start=10.0)
    made.run()
    assert set(made.tested) <= {"zero", "h", "g", "f", "e"} and {"zero", "h"} <= set(made.tested)
    assert "not tested, its last fit and test take about 11 s of the" in made.reasons["a"]
    assert made.budget.elapsed <= 60 * (1 + GRACE)


def test_a_model_that_is_too_slow_to_be_tuned_is_named_once():
    made = MadeSearch([Made("a", 1), Made("slow", 30, start=0.9, kind=1)], 200)
    made.run()
    assert made.reasons == {"slow": made.reasons["slow"]}
    assert made.reasons["slow"].startswith("not tuned in this round, one trial takes about 30 s of the ")


def test_without_anything_to_search_one_trial_is_all():
    made = MadeSearch([Made("a", 1, searchable=False), Made("b", 1)], 100)
    made.run()
    assert counts(made)["a"] == 1 and counts(made)["b"] > 5


def test_no_model_has_more_trials_than_it_may():
    made = MadeSearch([Made("a", 1), Made("b", 1)], 1000, max_trials=7)
    made.run()
    assert counts(made) == {"a": 7, "b": 7}


def test_after_three_failures_in_a_row_a_model_is_searched_no_more():
    made = MadeSearch([Made("a", 1, fails=(3, 5, 6, 7)), Made("b", 1)], 1000, max_trials=20)
    first, _ = made.run()
    assert len(first.trials) == 7 and first.best.number == 1


def test_each_stage_is_kept_when_it_is_reached():
    made = MadeSearch([Made("a", 1), Made("b", 1)], 100)
    made.run()
    assert sorted(set(made.stages)) == [0, 1, 2, 3, FINALS] and made.stages == sorted(made.stages)


def test_one_that_was_interrupted_spends_what_is_left():
    first = MadeSearch([Made("a", 1, start=0.2), Made("b", 2)], 300)
    whole = first.run()
    stored = [standing.trials[:20] for standing in whole]
    models = [Made("a", 1, start=0.2, stored=stored[0]), Made("b", 2, stored=stored[1], tested=True)]
    again = MadeSearch(models, 300, spent_before=200.0)
    a, b = again.run(stage=2)
    assert 0.95 * 300 <= again.budget.elapsed + PAGE_SECONDS <= 300
    assert len(a.trials) > 20 and a.trials[:20] == stored[0]
    assert b.trials == stored[1]  # it was tested, so its search had ended
    assert again.tested == ["a"]


def test_one_without_time_left_tests_what_a_ranking_needs():
    values = {"a": 0.1, "b": 0.3, "c": 0.2}
    stored = {
        name: [FinishedTrial(1, {}, TrialResult(value, 0, 1.0), wall_seconds=1.0)] for name, value in values.items()
    }
    again = MadeSearch([Made(name, 1, stored=trials) for name, trials in stored.items()], 60, spent_before=90.0)
    again.run(stage=1)
    assert again.tested == ["b", "c"]
    assert again.reasons["a"] == "not tested, its last fit and test take about 3 s of the 0 s that are left"
