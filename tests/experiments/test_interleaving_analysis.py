import numpy as np
import pytest
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.interleaving_analysis import compare_rankers, mixture_prior, sum_by_unit
from recsys.experiments.rate_sequences import rate_bounds


def credits_of(first, second, ties=0):
    return [1] * first + [0] * (second + ties), [0] * first + [2] * second + [0] * ties


def test_preferences_are_counted_by_unit():
    found = compare_rankers([3, 0, 1, 0], [1, 0, 2, 5])
    assert (found.units, found.prefer_first, found.prefer_second) == (4, 1, 2)
    assert found.second_share == pytest.approx(2 / 3)


def test_the_sign_test_leaves_out_ties():
    found = compare_rankers(*credits_of(40, 60, ties=500))
    assert found.sign_test_p_value == pytest.approx(scipy.stats.binomtest(60, 100).pvalue)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (100, 200, "second is better"),
        (200, 100, "first is better"),
        (150, 160, "no difference shown"),
        (0, 19, "too early"),
        (0, 0, "too early"),
    ],
)
def test_the_verdict_is_that_of_the_bounds(first, second, verdict):
    found = compare_rankers(*credits_of(first, second))
    assert found.verdict == verdict
    if verdict.endswith("better"):
        assert found.always_valid_p_value <= 0.05
        assert not found.low <= 0.5 <= found.high


def test_the_sentence_has_the_numbers():
    found = compare_rankers(*credits_of(100, 200, ties=9))
    assert found.sentence.startswith("Of 309 units 100 prefer the first ranker and 200 the second: 66.7% [")
    assert found.sentence.endswith("for the second at every look with 95% confidence; second is better.")


def test_equal_rankers_are_told_apart_no_more_often_than_stated():
    decided = np.arange(20, 2001, 20)
    wins = np.random.default_rng(0).binomial(20, 0.5, (500, 100)).cumsum(axis=1)
    low, high = rate_bounds(wins, decided, 0.05, mixture_prior(500))
    wrong = ((low > 0.5) | (high < 0.5)).any(axis=1).mean()
    naive = (np.abs(2 * wins - decided) > 1.96 * np.sqrt(decided)).any(axis=1).mean()
    assert wrong <= 0.05 < 0.2 < naive


def test_the_prior_finds_the_smallest_difference_at_about_the_units_that_are_given():
    wins, needed = np.arange(5000, 5600), {}
    for optimal in (100, 1000, 7000, 10_000, 14_000, 100_000):
        low, _ = rate_bounds(wins, 10_000, 0.05, mixture_prior(optimal))
        needed[optimal] = int(wins[low > 0.5][0])
    assert needed[10_000] <= min(needed.values()) + 1
    assert needed[10_000] < min(needed[100], needed[1000], needed[100_000])


def test_lists_are_added_up_by_unit():
    first, second = sum_by_unit(["u2", "u1", "u2", "u3"], [1, 2, 3, 0], [0, 1, 1, 4])
    assert (first.tolist(), second.tolist()) == ([4, 2, 0], [1, 1, 4])


def test_credits_must_be_of_the_same_units():
    with pytest.raises(ExperimentError, match="there are 1 and 2"):
        compare_rankers([1], [1, 2])
    with pytest.raises(ExperimentError, match="there are 1, 2 and 2"):
        sum_by_unit(["u"], [1, 2], [1, 2])
    with pytest.raises(ExperimentError, match="optimal_units must be from 20"):
        compare_rankers([1], [2], optimal_units=3)
