"""When a retrained model is made live: where it is not worse than the live one."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.studies.comparison.comparing import PairedComparison


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """What is done with a challenger.

    Args:
        promotes: whether it is made live.
        reason: in a sentence.
    """

    promotes: bool
    reason: str


def decide(pair: PairedComparison, metric: str, tolerance: float) -> PromotionDecision:
    """Promote where the interval of the paired difference lies above ``-tolerance``.

    Args:
        pair: challenger minus champion, over the same users.
        metric: that was compared, such as ``ndcg@10``.
        tolerance: how much worse the challenger may be, in the metric.
    """
    low, high = pair.difference.interval
    promotes = low > -tolerance
    sentence = (
        f"{metric} of the challenger is {pair.difference.mean:+.4f} [{low:+.4f}, {high:+.4f}] from that of the live "
        f"model over {pair.difference.num_users:,} users, and must be above {-tolerance:+.4f} with all of its interval"
    )
    return PromotionDecision(promotes, sentence)
