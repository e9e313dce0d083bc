"""When a retrained model is made live."""

from __future__ import annotations

import pytest

from recsys.evaluation.paired_tests import PairedDifference
from recsys.evaluation.significance import Interval
from recsys.studies.comparison.comparing import PairedComparison
from recsys.studies.retraining.promotion_rule import decide


def pair(mean: float, low: float, high: float) -> PairedComparison:
    difference = PairedDifference(50, mean, Interval(low, high), 20, 10, 0.1)
    return PairedComparison("challenger", "live", difference, 0.0, 0.1, False)


@pytest.mark.parametrize(
    ("low", "promotes"), [(0.02, True), (-0.009, True), (-0.01, False), (-0.2, False), (float("nan"), False)]
)
def test_the_whole_interval_must_lie_above_the_tolerance(low, promotes):
    assert decide(pair(0.05, low, 0.3), "ndcg@10", tolerance=0.01).promotes is promotes


def test_the_reason_has_the_numbers():
    reason = decide(pair(0.05, -0.2, 0.3), "ndcg@10", tolerance=0.01).reason
    assert reason == (
        "ndcg@10 of the challenger is +0.0500 [-0.2000, +0.3000] from that of the live model over 50 users, and must "
        "be above -0.0100 with all of its interval"
    )
