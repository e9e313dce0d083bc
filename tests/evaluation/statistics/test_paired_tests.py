from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import EvaluationError
from recsys.evaluation.statistics import paired_tests
from recsys.evaluation.statistics.paired_tests import (
    PAIRED_TESTS,
    paired_difference,
    permutation_test,
    t_test,
    wilcoxon_test,
)

#: Values of a measure: many are equal, as they are for users with few held-out items.
MEASURES = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 1.0])
PAIRS = st.lists(st.tuples(MEASURES, MEASURES), min_size=2, max_size=40)


class TestT:
    def test_hand_numbers(self):
        # mean 2, deviation sqrt(((-1)^2 + 0 + 1) / 2) = 1, t = 2 / (1 / sqrt(3)) = 3.4641 with 2 degrees of freedom,
        # where the distribution function is 1/2 + t / (2 sqrt(2 + t^2)): p = 1 - 3.4641 / sqrt(14) = 0.07418
        assert t_test(np.array([1.0, 2.0, 3.0])) == pytest.approx(1 - 12**0.5 / 14**0.5)

    def test_equal_models_have_one_and_a_constant_gain_zero(self):
        assert t_test(np.zeros(5)) == 1.0
        assert t_test(np.full(5, 0.25)) == pytest.approx(0.0, abs=1e-12)


class TestWilcoxon:
    def test_hand_numbers(self):
        # Five gains without ties: rank sum 0 or 15 is as far out as it goes, 2 of 2^5 ways: p = 1/16.
        assert wilcoxon_test(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(2 / 32)

    def test_equal_models_have_one(self):
        assert wilcoxon_test(np.zeros(5)) == 1.0


class TestPermutation:
    def test_hand_numbers(self):
        # Sums of (+-1, +-2, +-3) that are at least 6 - 2 * 1 = 4 from zero: 6, 4, -4, -6: 4 of 8.
        assert permutation_test(np.array([-1.0, 2.0, 3.0])) == 4 / 8

    def test_users_without_a_difference_change_nothing(self):
        values = np.array([-1.0, 2.0, 3.0])
        assert permutation_test(np.concatenate([values, np.zeros(50)])) == permutation_test(values)

    @settings(max_examples=30)
    @given(st.lists(st.integers(-5, 5), min_size=2, max_size=8))
    def test_few_users_are_exact(self, drawn):
        sums = [
            abs(sum(s * d for s, d in zip(signs, drawn, strict=True)))
            for signs in itertools.product((-1, 1), repeat=len(drawn))
        ]
        expected = np.mean([value >= abs(sum(drawn)) for value in sums])
        assert permutation_test(np.array(drawn) / 7) == pytest.approx(expected)

    def test_many_users_agree_with_an_independent_implementation(self):
        differences = np.random.default_rng(3).normal(0.08, 1.0, size=300)
        reference = scipy.stats.permutation_test(
            (differences, np.zeros(300)),
            lambda x, y, axis: (x - y).mean(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=20_000,
            rng=np.random.default_rng(1),
        ).pvalue
        # three standard errors of two simulated shares near 0.15
        assert permutation_test(differences) == pytest.approx(reference, abs=0.015)

    def test_the_p_value_is_never_below_what_the_samples_can_show(self):
        assert permutation_test(np.ones(100), num_samples=999) == 1 / 1000

    def test_the_memory_bound_changes_nothing_but_the_draws(self, monkeypatch):
        differences = np.random.default_rng(0).normal(0.1, 1.0, size=80)
        whole = permutation_test(differences)
        monkeypatch.setattr(paired_tests, "_MAX_SIGNS", 1000)
        assert permutation_test(differences) == pytest.approx(whole, abs=0.02)
        exact = np.array([-1.0, 2.0, 3.0, 0.5])
        monkeypatch.setattr(paired_tests, "_MAX_SIGNS", 12)
        assert permutation_test(exact) == 6 / 16  # at least 4.5 from zero: 6.5, 5.5, 4.5 and their mirror images

    def test_the_same_seed_gives_the_same_p_value(self):
        differences = np.random.default_rng(0).normal(0.1, 1.0, size=80)
        assert permutation_test(differences, seed=1) == permutation_test(differences, seed=1)
        assert permutation_test(differences, seed=1) != permutation_test(differences, seed=2)

    def test_no_samples_are_an_error(self):
        with pytest.raises(EvaluationError, match="at least 1 sample; num_samples is 0"):
            permutation_test(np.ones(3), num_samples=0)


@pytest.mark.parametrize("test", PAIRED_TESTS.values(), ids=PAIRED_TESTS)
class TestEveryTest:
    @settings(max_examples=25)
    @given(pairs=PAIRS)
    def test_a_p_value_between_zero_and_one_that_does_not_hang_on_the_order(self, test, pairs):
        first, second = np.array(pairs).T
        forth, back = paired_difference(first, second, test), paired_difference(second, first, test)
        assert 0 <= forth.p_value <= 1
        assert forth.p_value == pytest.approx(back.p_value)
        assert forth.mean == -back.mean
        assert (forth.num_better, forth.num_worse) == (back.num_worse, back.num_better)

    def test_a_model_is_not_better_than_itself(self, test):
        values = np.random.default_rng(0).random(50)
        found = paired_difference(values, values, test)
        assert (found.mean, found.p_value, found.interval) == (0.0, 1.0, (0.0, 0.0))

    def test_a_clear_gain_is_found(self, test):
        generator = np.random.default_rng(0)
        second = generator.random(200)
        assert paired_difference(second + 0.1 + 0.1 * generator.normal(size=200), second, test).p_value < 0.001

    def test_false_alarms_are_as_rare_as_they_should_be(self, test):
        # Values of a measure with three hits or fewer, most users alike. Of 300 true null hypotheses 5 % should be
        # rejected at the level .05: 15, with a standard deviation of 3.8. More than 30 is four deviations away.
        generator = np.random.default_rng(5)
        hits = generator.binomial(3, 0.3, size=(300, 2, 120)) / 3
        rejected = sum(test(np.round(first - second, 12)) < 0.05 for first, second in hits)
        assert 3 <= rejected <= 30


class TestDifference:
    def test_mean_wins_and_losses(self):
        found = paired_difference(np.array([0.5, 0.2, 0.1, 0.3]), np.array([0.1, 0.3, 0.1, 0.0]), t_test)
        assert found.mean == pytest.approx((0.4 - 0.1 + 0.0 + 0.3) / 4)
        assert (found.num_users, found.num_better, found.num_worse) == (4, 2, 1)
        assert found.interval.low <= found.mean <= found.interval.high

    def test_users_without_both_values_are_left_out(self):
        first, second = np.array([0.5, np.nan, 0.5, 0.7]), np.array([0.4, 0.4, np.nan, 0.4])
        found = paired_difference(first, second, t_test)
        assert found.num_users == 2
        assert found.mean == pytest.approx(0.2)

    def test_pairing_makes_the_interval_narrower_than_that_of_two_samples(self):
        generator = np.random.default_rng(0)
        second = generator.random(400)
        low, high = paired_difference(second + 0.01 * generator.random(400), second, t_test).interval
        # The values spread by .29, their difference by .003: unpaired the interval would be some 80 times as wide.
        assert high - low < 0.002

    def test_differences_that_only_rounding_tells_apart_are_one(self):
        # .3 - .2 is 0.09999999999999998 and .1 - .2 is -0.1: one up, one down
        found = paired_difference(np.array([0.3, 0.1]), np.array([0.2, 0.2]), wilcoxon_test)
        assert found.mean == 0.0
        assert found.p_value == 1.0

    def test_other_users_are_refused(self):
        with pytest.raises(EvaluationError, match=r"they have \[3\] and \[2\]: evaluate both models on the same users"):
            paired_difference(np.ones(3), np.ones(2), t_test)

    def test_a_single_user_is_refused(self):
        with pytest.raises(EvaluationError, match="at least two users .* there are 1"):
            paired_difference(np.array([0.5, np.nan]), np.array([0.5, 0.5]), t_test)
