import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.confidence_sequences import (
    always_valid_p_value,
    confidence_bounds,
    lower_bound,
    one_sided_multiplier,
    two_sided_multiplier,
    upper_bound,
)
from recsys.experiments.unit_statistics import MeanStatistics, UnitEstimate, difference

ALPHA, OPTIMAL = 0.05, 1000.0


def rho_of(alpha, optimal=OPTIMAL):
    """The rho that makes the two-sided interval narrowest at the optimal information, found by trying."""
    grid = np.exp(np.linspace(math.log(1e-4), math.log(10), 200_001))
    u = grid**2 * optimal
    return grid[np.argmin((u + 1) / u * np.log((u + 1) / alpha**2))]


@pytest.mark.parametrize("information", [20, 1000, 50_000])
def test_two_sided_bounds_are_where_the_mixture_reaches_the_level(information):
    z = float(two_sided_multiplier(information, ALPHA, OPTIMAL))
    rho, total = rho_of(ALPHA), z * math.sqrt(information)
    mixture, _ = scipy.integrate.quad(
        lambda rate: math.exp(rate * total - rate**2 * information / 2) * scipy.stats.norm.pdf(rate, 0, rho),
        -8 * rho,
        8 * rho,
        points=[total / information],
        limit=500,
    )
    assert mixture == pytest.approx(1 / ALPHA, rel=1e-3)


@pytest.mark.parametrize("information", [20, 1000, 50_000])
def test_one_sided_bounds_are_where_the_mixture_of_positive_effects_reaches_the_level(information):
    z = float(one_sided_multiplier(information, ALPHA, OPTIMAL))
    rho, total = rho_of(2 * ALPHA), z * math.sqrt(information)
    mixture, _ = scipy.integrate.quad(
        lambda rate: math.exp(rate * total - rate**2 * information / 2) * 2 * scipy.stats.norm.pdf(rate, 0, rho),
        0,
        8 * rho,
        points=[total / information],
        limit=500,
    )
    assert mixture == pytest.approx(1 / ALPHA, rel=1e-3)


def test_the_formula_of_the_paper():
    t, rho = np.array([10.0, 300.0, 9000.0]), rho_of(ALPHA)
    published = np.sqrt(2 * (t * rho**2 + 1) / (t**2 * rho**2) * np.log(np.sqrt(t * rho**2 + 1) / ALPHA))
    assert two_sided_multiplier(t, ALPHA, OPTIMAL) / np.sqrt(t) == pytest.approx(published, rel=1e-4)


def test_one_side_is_nearer_than_two():
    t = np.array([5.0, 1000.0, 1e6])
    assert (one_sided_multiplier(t, ALPHA, OPTIMAL) < two_sided_multiplier(t, ALPHA, OPTIMAL)).all()


def test_looking_often_costs_about_half_as_much_again():
    assert 2.9 < float(two_sided_multiplier(OPTIMAL, ALPHA, OPTIMAL)) < 3.2


@pytest.fixture(scope="module")
def looks():
    """Differences of equal normal variants at 100 looks, 2,000 experiments: estimates of shape [experiments, looks]."""
    generator = np.random.default_rng(3)
    size = np.arange(40, 4001, 40)
    sums = generator.normal(0, np.sqrt(40), (2, 2000, 100)).cumsum(axis=-1)
    squares = (generator.chisquare(40, (2, 2000, 100))).cumsum(axis=-1)
    arms = [MeanStatistics(size, total / size, square / size) for total, square in zip(sums, squares, strict=True)]
    return difference(arms[0].estimate(), arms[1].estimate())


def test_equal_variants_are_told_apart_no_more_often_than_stated(looks):
    low, high = confidence_bounds(looks, ALPHA, 500)
    wrong = ((low > 0) | (high < 0)).any(axis=1).mean()
    naive = (np.abs(looks.value / looks.standard_error) > 1.96).any(axis=1).mean()
    assert 0.005 < wrong < ALPHA
    assert naive > 0.3


def test_one_sided_bounds_hold_on_each_side(looks):
    assert 0.005 < (lower_bound(looks, ALPHA, 500) > 0).any(axis=1).mean() < ALPHA
    assert 0.005 < (upper_bound(looks, ALPHA, 500) < 0).any(axis=1).mean() < ALPHA


def test_p_values_and_bounds_agree(looks):
    low, high = confidence_bounds(looks, ALPHA, 500)
    assert ((always_valid_p_value(looks, 500, ALPHA) <= ALPHA) == ((low >= 0) | (high <= 0))).all()


def test_a_p_value_is_against_the_null_that_is_given():
    estimate = UnitEstimate(1.0, 0.1, 1000)
    assert always_valid_p_value(estimate, OPTIMAL, null=1.0) == 1.0
    assert always_valid_p_value(estimate, OPTIMAL) < 1e-15


@pytest.mark.parametrize("error", [0.0, math.nan])
def test_nothing_is_known_of_what_does_not_vary(error):
    estimate = UnitEstimate(1.0, error, 10)
    assert confidence_bounds(estimate, ALPHA, OPTIMAL) == (-math.inf, math.inf)
    assert always_valid_p_value(estimate, OPTIMAL) == 1.0


def test_nothing_is_known_without_information():
    assert two_sided_multiplier(0, ALPHA, OPTIMAL) == one_sided_multiplier(0, ALPHA, OPTIMAL) == math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 0.0, 10), "alpha must be from"),
        ((10, 0.05, 0), "optimal_information must be from"),
        ((-1, 0.05, 10), "information must not be negative; -1 came"),
    ],
    ids=["alpha", "optimal", "information"],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(ExperimentError, match=message):
        two_sided_multiplier(*arguments)


def test_one_side_needs_a_level_below_a_half():
    with pytest.raises(ExperimentError, match="alpha of one side must be from"):
        one_sided_multiplier(10, 0.5, 10)
