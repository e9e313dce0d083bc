"""Segments: users by how much they did, items by how popular they are, both by whether they are new, in training.

Shape suffixes: U users, I items, P pairs, M measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.evaluation.means import FloatArray, mean_over_users

USER_ACTIVITY = "user_activity"
USER_ACTIVITIES = ("low", "mid", "high")

ITEM_POPULARITY = "item_popularity"
ITEM_POPULARITIES = ("head", "mid", "tail")

USER_WARMTH = "user_warmth"
ITEM_WARMTH = "item_warmth"
WARMTHS = ("warm", "cold")

#: Percentages of all training interactions after which the head and the middle of the catalogue end.
HEAD_PERCENT = 50
MID_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Segment:
    """Means over one segment.

    Args:
        group: what divides users or items, such as ``user_activity``.
        name: which part, such as ``low``.
        num_users: users in the mean: those in the segment, or those with a held-out item in it.
        means: measure and cut-off, such as ``ndcg@10``, and its mean; NaN where there are no users.
    """

    group: str
    name: str
    num_users: int
    means: dict[str, float]


def user_activity_of(training_counts: Tensor) -> Tensor:
    """Divide users into thirds by their number of training interactions.

    The first third ends at the smallest count that at least a third of the users do not exceed, the second likewise
    at two thirds. Users with equal counts are never separated: all of them go to the lower part, so parts may be of
    unequal size or empty.

    Args:
        training_counts: training interactions of each evaluated user, shape [U], int64.

    Returns:
        Position in :data:`USER_ACTIVITIES`, shape [U], int64.
    """
    num_users = len(training_counts)
    if num_users == 0:
        return training_counts.clone()
    ascending = training_counts.sort().values
    first, second = ascending[(num_users + 2) // 3 - 1], ascending[(2 * num_users + 2) // 3 - 1]
    return (training_counts > first).long() + (training_counts > second).long()


def item_popularity_of(training_counts: Tensor) -> Tensor:
    """Divide the catalogue by the share of training interactions.

    From the most popular down (equal counts by item index), the head is the fewest items with at least 50 % of all
    training interactions, the middle the fewest more to reach 80 %, and the tail the rest. Items that nobody has in
    training are tail.

    Args:
        training_counts: training interactions of each item, shape [I], int64.

    Returns:
        Position in :data:`ITEM_POPULARITIES`, shape [I], int64.
    """
    counts, order = training_counts.sort(descending=True, stable=True)
    percent_before, percent_of_all = 100 * (counts.cumsum(0) - counts), counts.sum()  # whole numbers: exact
    part = (percent_before >= HEAD_PERCENT * percent_of_all).long()
    part += (percent_before >= MID_PERCENT * percent_of_all).long()
    return torch.empty_like(part).scatter_(0, order, part)


def warmth_of(training_counts: Tensor) -> Tensor:
    """Tell the users or items that have a training interaction (warm) from those that have none (cold).

    Args:
        training_counts: training interactions of each user or item, any shape, int64.

    Returns:
        Position in :data:`WARMTHS`, in the shape of ``training_counts``, int64.
    """
    return (training_counts == 0).long()


def relevant_by_segment(rows: Tensor, items: Tensor, segment_of: Tensor, num_segments: int, num_rows: int) -> Tensor:
    """Count each user's relevant items in each segment of the catalogue.

    Args:
        rows: row of the user of each relevant pair, shape [P], int64.
        items: item of each pair, shape [P], int64.
        segment_of: the segment of each item, shape [I], int64, each in ``[0, num_segments)``.
        num_segments: segments.
        num_rows: users.

    Returns:
        Shape [num_rows, num_segments], int64.
    """
    cells = rows * num_segments + segment_of[items]
    return torch.bincount(cells, minlength=num_rows * num_segments).view(num_rows, num_segments)


def segment_means(
    group: str, names: Sequence[str], member_of: npt.NDArray[np.int64], measures: Sequence[str], values: FloatArray
) -> tuple[Segment, ...]:
    """Means of measures within segments of users.

    Args:
        group: what divides the users.
        names: the segments.
        member_of: position in ``names`` of each user, shape [U].
        measures: M names.
        values: shape [U, M].
    """
    segments = []
    for position, name in enumerate(names):
        inside = values[member_of == position]
        means = mean_over_users(inside).tolist()
        segments.append(Segment(group, name, len(inside), dict(zip(measures, means, strict=True))))
    return tuple(segments)
