"""When a retrained model is made live: where it is shown to be not worse than the live one."""

from __future__ import annotations

import math
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


def decide(pair: PairedComparison, live: float, metric: str, tolerance: float) -> PromotionDecision:
    """Promote where the interval of the paired difference lies above ``-tolerance * live``: a test of non-inferiority.

    Where the interval is too wide to say, the live model stays. Where the live model's value is 0, so is the margin,
    and the challenger must be shown to be better.

    Args:
        pair: challenger minus live model, over the same users.
        live: mean of the metric of the live model, at least 0.
        metric: that was compared, such as ``ndcg@100``.
        tolerance: how much worse the challenger may be, as a share of ``live``.
    """
    difference, (low, high) = pair.difference, pair.difference.interval
    margin = tolerance * live
    limit = f"{-margin:+.4f} (-{100 * tolerance:g}% of the live model's)" if margin > 0 else "0"
    seen = (
        f"{metric} of the challenger is {live + difference.mean:.4f}, of the live model {live:.4f}; the difference is "
        f"{difference.mean:+.4f} [{low:+.4f}, {high:+.4f}] over {difference.num_users:,} users"
    )
    if low > -margin:
        return PromotionDecision(True, f"{seen}, all of it above {limit}: it is not worse")
    if high < -margin:
        return PromotionDecision(False, f"{seen}, all of it below {limit}: it is worse")
    needed = _users_needed(difference.num_users, high - low, margin)
    more = "" if needed is None else f"; two models that are equally good would need about {needed:,} users to show it"
    unclear = f"not all of it above {limit}: it may be worse, and the live model stays{more}"
    return PromotionDecision(False, f"{seen}, {unclear}")


def _users_needed(num_users: int, width: float, margin: float) -> int | None:
    """Users with which the interval of two equally good models would lie above the margin; None where none suffice.

    An interval becomes narrower with the root of the number of users.
    """
    if not (margin > 0 and math.isfinite(width)):
        return None
    needed = math.ceil(num_users * (width / (2 * margin)) ** 2)
    return needed if needed > num_users else None
