import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.thompson import thompson_probabilities


def test_two_items_by_integration():
    found = thompson_probabilities([3, 10], [20, 40])
    first, second = scipy.stats.beta(4, 21), scipy.stats.beta(11, 41)
    expected, _ = scipy.integrate.quad(lambda x: first.pdf(x) * second.cdf(x), 0, 1)
    assert found[0] == pytest.approx(expected, abs=1e-3)
    assert found.sum() == pytest.approx(1)


def test_many_items_by_drawing():
    generator = np.random.default_rng(0)
    successes, failures = generator.integers(0, 20, 12), generator.integers(0, 60, 12)
    draws = generator.beta(1 + successes, 1 + failures, (100_000, 12)).argmax(axis=1)
    drawn = np.bincount(draws, minlength=12) / 100_000
    assert thompson_probabilities(successes, failures) == pytest.approx(drawn, abs=0.005)


def test_items_of_which_nothing_is_known_are_alike():
    assert thompson_probabilities(np.zeros(5), np.zeros(5)) == pytest.approx(np.full(5, 0.2))


def test_an_item_that_is_surely_better_has_all():
    found = thompson_probabilities([900_000, 10_000, 5], [100_000, 990_000, 995])
    assert found == pytest.approx([1, 0, 0], abs=1e-9)


def test_sure_and_unsure_items_together():
    # The rate .5 of the first is known; the second, about which nothing is known, is above it half of the time.
    assert thompson_probabilities([5e6, 0], [5e6, 0]) == pytest.approx([0.5, 0.5], abs=1e-2)


def test_one_item_is_the_best():
    assert thompson_probabilities([0], [7]).tolist() == [1.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "each item needs its successes and failures"),
        (([1], [1, 2]), "each item needs its successes and failures"),
        (([-1], [1]), "must not be negative"),
        (([1], [1], (0, 1)), "must be above 0"),
    ],
    ids=["none", "lengths", "negative", "prior"],
)
def test_wrong_counts_are_refused(arguments, message):
    with pytest.raises(ExperimentError, match=message):
        thompson_probabilities(*arguments)


def test_fewer_points_give_nearly_the_same():
    wins, losses = [3, 8, 0, 20], [97, 92, 0, 180]
    few = thompson_probabilities(wins, losses, max_points=200)
    assert few == pytest.approx(thompson_probabilities(wins, losses), abs=0.005)
    assert few.sum() == pytest.approx(1)
    with pytest.raises(ExperimentError, match="max_points must be 2 or more"):
        thompson_probabilities(wins, losses, max_points=1)
