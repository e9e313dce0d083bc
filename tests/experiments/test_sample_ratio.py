import math

import numpy as np
import pytest
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.sample_ratio import check_sample_ratio, log_multinomial_evidence

SHARES = {"control": 0.5, "b": 0.3, "c": 0.2}


def test_the_evidence_of_few_units_by_hand():
    # Concentration 2 at (1/2, 1/2) is uniform: 2 of 2 have chance 1/3 under it, and 1/4 if the shares are right.
    assert math.exp(log_multinomial_evidence([2, 0], [0.5, 0.5], [2.0])) == pytest.approx(4 / 3)
    assert math.exp(log_multinomial_evidence([1, 1], [0.5, 0.5], [2.0])) == pytest.approx((1 / 6) / (1 / 4))


def test_the_evidence_is_one_in_the_mean_where_the_shares_are_right():
    shares, total = np.array([0.2, 0.3, 0.5]), 9
    counts = np.array([(a, b, total - a - b) for a in range(total + 1) for b in range(total + 1 - a)])
    chances = scipy.stats.multinomial.pmf(counts, total, shares)
    assert (chances * np.exp(log_multinomial_evidence(counts, shares))).sum() == pytest.approx(1)


@pytest.fixture(scope="module")
def counts():
    """Units of two variants with equal shares at 100 looks in 1,000 experiments, shape [experiments, looks, 2]."""
    first = np.random.default_rng(5).binomial(200, 0.5, (1000, 100)).cumsum(axis=1)
    return np.stack([first, np.arange(200, 20_001, 200) - first], axis=-1)


def test_right_shares_are_doubted_no_more_often_than_stated(counts):
    doubted = (log_multinomial_evidence(counts, [0.5, 0.5]) >= math.log(20)).any(axis=1).mean()
    naive = (scipy.stats.chisquare(counts, axis=-1).pvalue < 0.05).any(axis=1).mean()
    assert doubted < 0.05 < 0.3 < naive


def test_lost_units_are_found(counts):
    lost = counts * np.array([1.0, 0.9])
    assert (log_multinomial_evidence(lost, [0.5, 0.5]) >= math.log(1000)).any(axis=1).mean() > 0.95


def test_right_counts_are_said_to_be_right():
    result = check_sample_ratio({"control": 500, "b": 305, "c": 195}, SHARES)
    assert not result.mismatch and result.p_value > 0.1
    assert result.sentence.startswith("The variants have the units that they should: control 50.00% (should be 50.00%)")


def test_a_mismatch_says_that_results_mean_nothing():
    result = check_sample_ratio({"control": 5000, "b": 3000, "c": 1500}, SHARES)
    assert result.mismatch and result.p_value < 1e-6
    assert "Results mean nothing until" in result.sentence


def test_a_mismatch_is_not_forgotten():
    before = check_sample_ratio({"control": 500, "b": 300, "c": 50}, SHARES)
    after = check_sample_ratio({"control": 5000, "b": 3000, "c": 2000}, SHARES, previous=before)
    assert before.mismatch and after.mismatch
    assert after.p_value == before.p_value


def test_a_variant_without_units_counts():
    assert check_sample_ratio({"control": 500, "b": 300}, SHARES).mismatch


def test_a_variant_that_nobody_gets_any_more_is_left_out():
    result = check_sample_ratio({"control": 100}, {"control": 1.0, "b": 0.0})
    assert (result.shares, result.p_value) == ({"control": 1.0}, 1.0)


def test_no_unit_is_no_mismatch():
    result = check_sample_ratio({}, SHARES)
    assert (result.p_value, result.sentence) == (1.0, "No unit has come yet.")


@pytest.mark.parametrize(
    ("counts", "shares", "message"),
    [
        ({"d": 1}, SHARES, "units came of d, which are not among the variants control, b, c"),
        ({"control": -1}, SHARES, "must not be negative"),
        ({}, {"control": 0.5, "b": 0.4}, "above 0 and add up to 1"),
        ({"b": 3}, {"control": 1.0, "b": 0.0}, "above 0 and add up to 1"),
    ],
    ids=["unknown", "negative", "sum", "zero"],
)
def test_wrong_counts_and_shares_are_refused(counts, shares, message):
    with pytest.raises(ExperimentError, match=message):
        check_sample_ratio(counts, shares)
