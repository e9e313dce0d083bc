"""The result of an evaluation by ranking."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.segments import Segment
from recsys.evaluation.statistics.significance import Interval


@dataclass(frozen=True, slots=True, eq=False)
class RankingResult:
    """Metrics of one model on one task.

    Args:
        users: internal indices of the evaluated users, shape [U], int64.
        per_user: accuracy metrics by name and cut-off, such as ``ndcg@10``: the value of each user, shape [U], float64.
        catalogue: metrics of all lists together, such as ``coverage@10``, and of rankings of cold items alone, such as
            ``cold_catalogue/recall@10``.
        segments: means by segment of users or items.
        intervals: 95 % bootstrap interval of the mean of each entry of ``per_user``; empty without a bootstrap.
        user_activity: each user's position in :data:`recsys.evaluation.segments.USER_ACTIVITIES`, shape [U], int64.
        per_user_beyond: other metrics with a value for each user, shape [U], float64: ``novelty@10`` and
            ``diversity@10`` of the list, recall by item segment such as ``item_popularity=tail/recall@10``, and
            metrics of rankings of cold items alone, such as ``cold_catalogue/recall@10``, and of new and repeated
            targets, such as ``target=new/recall@10``.
        known_share: share of the held-out pairs that were known before, whether or not they were to be found.
        sampled_from: users with held-out items of whom ``users`` are a random sample; None: they are all of them.
    """

    users: npt.NDArray[np.int64]
    per_user: dict[str, FloatArray]
    catalogue: dict[str, float]
    segments: tuple[Segment, ...]
    intervals: dict[str, Interval]
    user_activity: npt.NDArray[np.int64]
    per_user_beyond: dict[str, FloatArray]
    known_share: float = 0.0
    sampled_from: int | None = None

    def means(self) -> dict[str, float]:
        """The mean over users of each entry of :attr:`per_user`."""
        return {name: float(mean_over_users(values[:, None])[0]) for name, values in self.per_user.items()}

    def flat(self, prefix: str = "test") -> dict[str, float]:
        """All numbers by flat name.

        ``test/known_share``, ``test/ndcg@10``, its interval ``test/ndcg@10_low`` and ``test/ndcg@10_high``,
        ``test/coverage@10``, ``test/user_activity=low/ndcg@10`` and ``test/item_popularity=head/recall@10``. Undefined
        numbers (means of empty segments) are left out, so every value is finite. Of a sample of users
        ``test/num_users`` and ``test/sampled_from`` tell how many they are, and of how many.
        """
        numbers = dict(self.means())
        for name, (low, high) in self.intervals.items():
            numbers[f"{name}_low"], numbers[f"{name}_high"] = low, high
        numbers |= self.catalogue
        for segment in self.segments:
            numbers |= {f"{segment.group}={segment.name}/{name}": mean for name, mean in segment.means.items()}
        numbers["known_share"] = self.known_share
        if self.sampled_from is not None:
            numbers |= {"num_users": len(self.users), "sampled_from": self.sampled_from}
        return {f"{prefix}/{name}": value for name, value in numbers.items() if math.isfinite(value)}
