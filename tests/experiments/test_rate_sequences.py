import itertools
import math

import numpy as np
import pytest
import scipy.integrate

from recsys.errors import ExperimentError
from recsys.experiments.rate_sequences import always_valid_rate_p_value, rate_bounds, rate_difference_bounds


@pytest.mark.parametrize(("successes", "count"), [(3, 10), (40, 1000)])
def test_bounds_are_where_the_mixture_reaches_the_level(successes, count):
    def likelihood(rate):
        return rate**successes * (1 - rate) ** (count - successes)

    mixture, _ = scipy.integrate.quad(
        lambda rate: likelihood(rate) / (math.pi * math.sqrt(rate * (1 - rate))),
        0,
        1,
        points=[successes / count],
        epsabs=0,
    )
    for bound in rate_bounds(successes, count, 0.05):
        assert mixture / likelihood(float(bound)) == pytest.approx(20, rel=1e-4)


@pytest.mark.parametrize("rate", [0.03, 0.4])
def test_the_chance_to_ever_miss_the_rate_is_below_the_level(rate):
    paths = np.array(list(itertools.product([0, 1], repeat=12)))
    low, high = rate_bounds(paths.cumsum(axis=1), np.arange(1, 13), 0.2)
    missed = ((low > rate) | (high < rate)).any(axis=1)
    chances = np.prod(np.where(paths == 1, rate, 1 - rate), axis=1)
    assert chances.sum() == pytest.approx(1)
    assert 0 < chances[missed].sum() <= 0.2


def test_p_values_and_bounds_agree():
    successes, count = np.arange(0, 201, 5), np.full(41, 200)
    low, high = rate_bounds(successes, count, 0.05, (2, 3))
    p_values = always_valid_rate_p_value(successes, count, 0.4, (2, 3))
    assert ((p_values <= 0.05) == ((low > 0.4) | (high < 0.4))).all()
    assert p_values.min() < 1e-6 and p_values.max() == 1


def test_a_rate_that_nobody_has_shown_is_bounded_on_one_side():
    low, high = rate_bounds(np.array([0, 5, 0]), np.array([5, 5, 0]), 0.05)
    assert low.tolist()[0] == 0 and high.tolist()[1] == 1
    assert 0 < high[0] < 1 and 0 < low[1] < 1
    assert (low[2], high[2]) == (0, 1)


def test_more_units_give_narrower_bounds():
    low, high = rate_bounds(np.array([10, 100, 1000]), np.array([100, 1000, 10_000]), 0.05)
    assert (np.diff(high - low) < 0).all()
    assert ((low < 0.1) & (high > 0.1)).all()


def test_bounds_of_a_difference_hold_both_rates_at_half_the_level():
    low, high = rate_difference_bounds((30, 100), (10, 100), 0.1)
    first, second = rate_bounds(30, 100, 0.05), rate_bounds(10, 100, 0.05)
    assert (low, high) == (pytest.approx(first[0] - second[1]), pytest.approx(first[1] - second[0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5, 4, 0.05), "from 0 to the number of units"),
        ((1, 4, 0.0), "alpha must be from"),
        ((1, 4, 0.05, (0, 1)), "both numbers of the prior must be above 0"),
    ],
    ids=["successes", "alpha", "prior"],
)
def test_what_is_no_rate_is_refused(arguments, message):
    with pytest.raises(ExperimentError, match=message):
        rate_bounds(*arguments)
