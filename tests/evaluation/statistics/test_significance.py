from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import EvaluationError
from recsys.evaluation.means import mean_over_users
from recsys.evaluation.statistics import resampling
from recsys.evaluation.statistics.significance import Estimate, bootstrap_intervals, narrow_intervals_note


def test_the_interval_of_a_proportion_is_near_the_binomial_one():
    # 400 of 1000: standard error sqrt(0.4 * 0.6 / 1000) = 0.01549, times 1.96 is 0.0304
    values = np.repeat([1.0, 0.0], [400, 600])[:, None]
    (interval,) = bootstrap_intervals(values, num_samples=4000)
    assert interval.low == pytest.approx(0.4 - 0.0304, abs=0.003)
    assert interval.high == pytest.approx(0.4 + 0.0304, abs=0.003)


def test_the_same_seed_gives_the_same_intervals_and_another_seed_others():
    values = np.random.default_rng(1).random((50, 2))
    assert bootstrap_intervals(values, seed=3) == bootstrap_intervals(values, seed=3)
    assert bootstrap_intervals(values, seed=3) != bootstrap_intervals(values, seed=4)


def test_the_interval_does_not_depend_on_the_memory_bound(monkeypatch):
    values = np.random.default_rng(1).random((50, 3))
    values[:10, 2] = np.nan
    whole = bootstrap_intervals(values, num_samples=101)
    monkeypatch.setitem(resampling.MAX_WEIGHTS, "cpu", 350)  # seven resamples at once
    np.testing.assert_allclose(bootstrap_intervals(values, num_samples=101), whole, rtol=1e-12)


def test_measures_share_the_resamples():
    values = np.random.default_rng(1).random((50, 1))
    first, second = bootstrap_intervals(np.hstack([values, 2 * values]))
    assert second.low == pytest.approx(2 * first.low)
    assert second.high == pytest.approx(2 * first.high)


def test_one_user_gives_an_interval_of_no_width():
    assert bootstrap_intervals(np.array([[0.25]])) == [(0.25, 0.25)]


def test_users_without_a_value_are_left_out_of_each_resampled_mean():
    values = np.full((40, 1), np.nan)
    values[::4] = 0.7
    (interval,) = bootstrap_intervals(values)
    assert interval == pytest.approx((0.7, 0.7))


def test_a_measure_that_is_defined_for_one_user_survives_resamples_that_miss_them():
    (interval,) = bootstrap_intervals(np.array([[0.5], [np.nan], [np.nan]]))
    assert interval == pytest.approx((0.5, 0.5))


def test_a_measure_that_is_defined_for_no_user_has_no_interval():
    assert np.isnan(bootstrap_intervals(np.array([[np.nan, 1.0]] * 3))[0]).all()


def test_a_narrower_confidence_gives_a_narrower_interval():
    values = np.random.default_rng(1).random((50, 1))
    (wide,) = bootstrap_intervals(values, confidence=0.99)
    (narrow,) = bootstrap_intervals(values, confidence=0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_no_users_are_an_error():
    with pytest.raises(EvaluationError, match="a bootstrap needs at least one user; there are none"):
        bootstrap_intervals(np.empty((0, 1)))


@pytest.mark.parametrize("setting", [{"num_samples": 0}, {"confidence": 0.0}, {"confidence": 1.0}])
def test_settings_out_of_range_are_an_error(setting):
    with pytest.raises(EvaluationError, match="at least 1 sample and a confidence between 0 and 1"):
        bootstrap_intervals(np.ones((2, 1)), **setting)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_the_interval_lies_within_the_values_and_around_a_typical_mean(drawn):
    values = np.array(drawn)[:, None]
    (interval,) = bootstrap_intervals(values, num_samples=200)
    assert min(drawn) - 1e-9 <= interval.low <= interval.high <= max(drawn) + 1e-9
    spread = float(values.std())
    assert interval.low - spread - 1e-9 <= float(mean_over_users(values)[0]) <= interval.high + spread + 1e-9


@settings(max_examples=10)
@given(seed=st.integers(0, 1000))
def test_most_intervals_hold_the_mean_that_the_users_were_drawn_from(seed):
    # 95 % intervals of 60 measures: about 57 should hold 0.5; fewer than 45 has a chance below one in a million.
    values = np.random.default_rng(seed).random((80, 60))
    held = sum(interval.low <= 0.5 <= interval.high for interval in bootstrap_intervals(values, num_samples=200))
    assert held >= 45


def test_a_mean_is_over_those_for_whom_it_is_defined():
    estimate = Estimate.of(np.array([0.5, np.nan, 1.0]), num_samples=200, seed=0)
    assert (estimate.mean, estimate.num_users) == (0.75, 2)
    assert 0.5 <= estimate.low < 0.75 < estimate.high <= 1.0


def test_without_a_bootstrap_there_is_no_interval():
    estimate = Estimate.of(np.array([0.5, 1.0]), num_samples=0, seed=0)
    assert math.isnan(estimate.low) and math.isnan(estimate.high)


@pytest.mark.parametrize(
    ("users", "hits", "note"),
    [
        (99, 50, "There are only 99 users in the test: "),
        (100, 50, ""),
        (1000, 19, "Only 19 of 1,000 users in the test have a hit: "),
        (1000, 20, ""),
        (0, 0, ""),
    ],
)
def test_intervals_of_few_users_or_few_hits_are_called_too_narrow(users, hits, note):
    # A user without a value, for whom the measure is not defined, does not count.
    values = np.concatenate([np.full(hits, 0.5), np.zeros(users - hits), [np.nan]])
    found = narrow_intervals_note(values)
    assert found.startswith(note) and bool(found) == bool(note)
