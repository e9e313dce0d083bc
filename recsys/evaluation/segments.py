"""Segments: users by activity, items by popularity, both by whether they occur in training.

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

USER_COLD_STATUS = "user_warmth"
ITEM_COLD_STATUS = "item_warmth"
COLD_STATUSES = ("warm", "cold")

#: Percentages of all training interactions after which the head and the middle of the catalogue end.
HEAD_PERCENT = 50
MID_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Segment:
    """Mean metrics of one segment.

    Args:
        group: what users or items are divided by, such as ``user_activity``.
        name: name of the segment, such as ``low``.
        num_users: number of users in the mean: those in the segment, or those with a held-out item in it.
        means: mean of each metric, such as ``ndcg@10``; NaN if there are no users.
    """

    group: str
    name: str
    num_users: int
    means: dict[str, float]


def user_activity_of(training_counts: Tensor) -> Tensor:
    """Divide users into thirds by their number of training interactions.

    The first third ends at the smallest count that at least a third of the users do not exceed, the second at the same
    for two thirds. Users with equal counts are never separated: all of them go to the lower segment, so segments may
    differ in size or be empty.

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

    In the order of popularity (equal counts by item index), the head is the fewest items with at least 50 % of all
    training interactions, the middle the fewest more to reach 80 %, and the tail the rest. Items without training
    interactions are in the tail.

    Args:
        training_counts: training interactions of each item, shape [I], int64.

    Returns:
        Position in :data:`ITEM_POPULARITIES`, shape [I], int64.
    """
    counts, order = training_counts.sort(descending=True, stable=True)
    percent_before, percent_of_all = 100 * (counts.cumsum(0) - counts), counts.sum()  # integers: exact
    part = (percent_before >= HEAD_PERCENT * percent_of_all).long()
    part += (percent_before >= MID_PERCENT * percent_of_all).long()
    return torch.empty_like(part).scatter_(0, order, part)


def cold_status_of(training_counts: Tensor) -> Tensor:
    """Divide users or items into warm ones, with a training interaction, and cold ones, without.

    Args:
        training_counts: training interactions of each user or item, any shape, int64.

    Returns:
        Position in :data:`COLD_STATUSES`, in the shape of ``training_counts``, int64.
    """
    return (training_counts == 0).long()


def relevant_by_segment(rows: Tensor, items: Tensor, segment_of: Tensor, num_segments: int, num_rows: int) -> Tensor:
    """Count each user's relevant items in each segment of the catalogue.

    Args:
        rows: row of the user of each relevant pair, shape [P], int64.
        items: item of each pair, shape [P], int64.
        segment_of: the segment of each item, shape [I], int64, each in ``[0, num_segments)``.
        num_segments: number of segments.
        num_rows: number of users.

    Returns:
        Shape [num_rows, num_segments], int64.
    """
    cells = rows * num_segments + segment_of[items]
    counts = torch.zeros(num_rows * num_segments, dtype=torch.int64, device=rows.device)
    return counts.scatter_add_(0, cells, torch.ones_like(cells)).view(num_rows, num_segments)


def segment_means(
    group: str, names: Sequence[str], member_of: npt.NDArray[np.int64], measures: Sequence[str], values: FloatArray
) -> tuple[Segment, ...]:
    """Mean metrics of each segment of users.

    Args:
        group: what the users are divided by.
        names: names of the segments.
        member_of: position in ``names`` of each user, shape [U].
        measures: names of M metrics.
        values: shape [U, M].
    """
    segments = []
    for position, name in enumerate(names):
        inside = values[member_of == position]
        means = mean_over_users(inside).tolist()
        segments.append(Segment(group, name, len(inside), dict(zip(measures, means, strict=True))))
    return tuple(segments)
