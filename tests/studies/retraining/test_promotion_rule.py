"""When a retrained model is made live."""

from __future__ import annotations

import pytest

from recsys.evaluation.statistics.paired_tests import PairedDifference
from recsys.evaluation.statistics.significance import Interval
from recsys.studies.comparison.comparing import PairedComparison
from recsys.studies.retraining.promotion_rule import decide


def pair(mean: float, low: float, high: float) -> PairedComparison:
    difference = PairedDifference(50, mean, Interval(low, high), 20, 10, 0.1)
    return PairedComparison("challenger", "live", difference, 0.0, 0.1, False)


@pytest.mark.parametrize(
    ("low", "promotes"), [(0.02, True), (-0.009, True), (-0.0101, False), (-0.2, False), (float("nan"), False)]
)
def test_the_whole_interval_must_lie_above_the_share_of_the_live_value(low, promotes):
    assert decide(pair(0.05, low, 0.3), 0.2, "ndcg@10", tolerance=0.05).promotes is promotes


@pytest.mark.parametrize("scale", [1.0, 0.001])
def test_the_rule_is_the_same_however_small_the_metric_is(scale):
    assert decide(pair(0.0, -0.009 * scale, 0.01 * scale), 0.2 * scale, "ndcg@10", 0.05).promotes
    assert not decide(pair(0.0, -0.011 * scale, 0.01 * scale), 0.2 * scale, "ndcg@10", 0.05).promotes


def test_where_the_live_model_finds_nothing_the_challenger_must_be_better():
    assert not decide(pair(0.0, 0.0, 0.0), 0.0, "ndcg@10", 0.05).promotes
    assert decide(pair(0.02, 0.01, 0.03), 0.0, "ndcg@10", 0.05).reason == (
        "ndcg@10 of the challenger is 0.0200, of the live model 0.0000; the difference is +0.0200 [+0.0100, +0.0300] "
        "over 50 users, all of it above 0: it is not worse"
    )


def test_not_worse():
    assert decide(pair(0.01, -0.005, 0.02), 0.2, "ndcg@10", 0.05).reason == (
        "ndcg@10 of the challenger is 0.2100, of the live model 0.2000; the difference is +0.0100 [-0.0050, +0.0200] "
        "over 50 users, all of it above -0.0100 (-5% of the live model's): it is not worse"
    )


def test_worse():
    decision = decide(pair(-0.05, -0.08, -0.02), 0.2, "ndcg@10", 0.05)
    assert not decision.promotes
    assert decision.reason.endswith("all of it below -0.0100 (-5% of the live model's): it is worse")


def test_what_cannot_be_told_keeps_the_live_model_and_says_how_many_users_it_takes():
    decision = decide(pair(0.0, -0.02, 0.02), 0.2, "ndcg@10", 0.05)
    assert not decision.promotes
    # The interval is to be half as wide, which takes four times as many users.
    assert decision.reason.endswith(
        "not all of it above -0.0100 (-5% of the live model's): it may be worse, and the live model stays; two models "
        "that are equally good would need about 200 users to show it"
    )


def test_a_narrow_interval_that_reaches_too_far_down_needs_no_more_users():
    decision = decide(pair(-0.01, -0.015, -0.006), 0.2, "ndcg@10", 0.05)
    assert decision.reason.endswith("it may be worse, and the live model stays")
