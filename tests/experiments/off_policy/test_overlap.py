import numpy as np
import pytest

from recsys.errors import ExperimentError
from recsys.experiments.off_policy.overlap import OverlapLimits, measure_overlap


def column(*weights):
    return np.array(weights, dtype=float)[:, None]


def test_the_effective_size_by_hand():
    # (3 + 1 + 0 + 0)**2 / (9 + 1) = 1.6
    found = measure_overlap(column(3, 1, 0, 0))
    assert found.effective_size == pytest.approx(1.6)
    assert (found.rows, found.max_weight, found.max_weight_share, found.mean_weight) == (4, 3.0, 0.75, 1.0)


def test_equal_weights_are_worth_all_rows():
    found = measure_overlap(np.ones((250, 2)))
    assert (found.effective_size, found.is_enough, found.problems) == (250, True, ())


def test_the_worst_position_counts():
    good, bad = np.ones(1000), np.r_[np.full(20, 50.0), np.zeros(980)]
    found = measure_overlap(np.stack([good, bad], axis=1))
    assert found.effective_size == pytest.approx(20)
    assert not found.is_enough


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        (np.ones((99, 1)), "the effective sample size is 99.0 of 99, below 100"),
        (np.r_[np.ones((1000, 1)), [[100.0]]], "one row has 9.1% of all weight, more than 5.0%"),
        (np.full((1000, 1), 0.9), "the weights have a mean of 0.9 instead of 1"),
        (np.tile([[0.0], [0.9]], (500, 1)), "the weights have a mean of 0.45 instead of 1"),
        (np.full((1000, 1), 1.5), "or its propensities are wrong"),
        (np.zeros((1000, 1)), "the effective sample size is 0.0"),
    ],
    ids=["few", "one", "lacking", "half", "wrong", "nothing"],
)
def test_poor_overlap_says_why(weights, problem):
    found = measure_overlap(weights)
    assert not found.is_enough
    assert any(problem in text for text in found.problems)


def test_a_mean_that_is_off_by_chance_is_no_problem():
    weights = np.random.default_rng(0).choice([0.2, 1.8], size=(400, 1))
    assert measure_overlap(weights).is_enough


def test_limits_can_be_set():
    weights = np.ones((30, 1))
    assert measure_overlap(weights, OverlapLimits(min_effective_size=30)).is_enough
    with pytest.raises(ExperimentError, match="max_weight_share must be from"):
        OverlapLimits(max_weight_share=0)


def test_overlap_needs_rows():
    with pytest.raises(ExperimentError, match=r"shape \[0, 2\] came"):
        measure_overlap(np.zeros((0, 2)))
