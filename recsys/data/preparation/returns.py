"""Interactions that take others back: weights below zero, such as returned goods.

Shape suffixes: N interactions, M interactions of pairs with a weight below zero.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.data.interactions import IntArray, Interactions
from recsys.data.preparation.pair_groups import group_starts, order_by_key_and_time, pair_keys
from recsys.data.schema import AppliedRule

#: What is left of a weight below this share of it is rounding.
_ROUNDING = 1e-5
#: Groups of more rows than this are added up one by one, shorter ones all at once.
_LONG_GROUP = 64


@dataclass(frozen=True, slots=True)
class Returns:
    """What the negative weights of some interactions did; of parts of the users, the sum is that of all.

    Args:
        removed: interactions that are left out.
        negative: interactions with a negative weight.
        whole: interactions that were cancelled as a whole.
        in_part: interactions of which a part is left.
        in_excess: pairs of a user and an item that return more than they have.
    """

    removed: int = 0
    negative: int = 0
    whole: int = 0
    in_part: int = 0
    in_excess: int = 0

    def __add__(self, other: Returns) -> Returns:
        return Returns(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def rule(self) -> AppliedRule | None:
        """The rule with its counts; None where there was nothing to cancel."""
        if self.removed == 0:
            return None
        note = f"{self.negative:,} with a negative weight cancel {self.whole:,} whole and {self.in_part:,} in part"
        if self.in_excess:
            note += f"; {self.in_excess:,} pairs of a user and an item return more than they have"
        return AppliedRule(
            "returns",
            "weights below zero cancel those of the same user and item, the oldest first; what has no weight is left "
            "out",
            {"interactions": self.removed},
            note,
        )


def cancel_returns(interactions: Interactions) -> tuple[Interactions, AppliedRule | None]:
    """Let negative weights cancel what they return; see :func:`net_of_returns`.

    Args:
        interactions: N interactions in raw order; weights may be of any sign.

    Returns:
        Interactions with weights above zero, in their order, and the rule; None where there was nothing to cancel.
    """
    left, _, returns = net_of_returns(interactions)
    return left, returns.rule()


def net_of_returns(interactions: Interactions) -> tuple[Interactions, IntArray | None, Returns]:
    """The interactions without what was returned.

    Of each user and item (and fold) the weights below zero are taken off the others, the oldest first. What has no
    weight left is removed, and so are the returns: a pair whose weights add up to zero or less is gone.

    Args:
        interactions: N interactions in raw order, of all users or of some; weights may be of any sign.

    Returns:
        Interactions with weights above zero, in their order; their positions, None where all stay; and the counts.
    """
    weight = interactions.weight
    if weight is None or bool((weight > 0).all()):
        return interactions, None, Returns()
    keys = pair_keys(interactions)
    rows = np.flatnonzero(np.isin(keys, keys[weight <= 0]))
    rows = rows[order_by_key_and_time(interactions, keys, rows)]
    given = weight[rows].astype(np.float64)
    start_of, starts = group_starts(keys[rows])
    bought, returned = np.maximum(given, 0), np.maximum(-given, 0)
    to_cancel = np.add.reduceat(returned, starts)
    left = bought - np.clip(to_cancel[start_of] - _sums_before(bought, starts), 0, bought)
    left[left <= _ROUNDING * bought] = 0
    in_excess = np.add.reduceat(bought, starts) < to_cancel * (1 - _ROUNDING)

    new = weight.copy()
    new[rows] = left
    kept = np.flatnonzero(new > 0)
    returns = Returns(
        removed=len(weight) - len(kept),
        negative=int((given < 0).sum()),
        whole=int(((given > 0) & (left == 0)).sum()),
        in_part=int(((left > 0) & (left < bought)).sum()),
        in_excess=int(in_excess.sum()),
    )
    return replace(interactions, weight=new).take(kept), kept, returns


def _sums_before(values: npt.NDArray[np.float64], starts: IntArray) -> npt.NDArray[np.float64]:
    """The sum of what comes before each value in its group, shape [M].

    Each group is added up by itself and in its order, so that its sums are the same to the last bit whichever groups
    are beside it.
    """
    lengths = np.diff(np.append(starts, len(values)))
    sums = np.zeros_like(values)
    for place in range(1, min(int(lengths.max(initial=0)), _LONG_GROUP)):
        rows = starts[lengths > place] + place
        sums[rows] = sums[rows - 1] + values[rows - 1]
    for start, length in zip(starts[lengths > _LONG_GROUP], lengths[lengths > _LONG_GROUP], strict=True):
        sums[start + 1 : start + length] = np.cumsum(values[start : start + length - 1])
    return sums
