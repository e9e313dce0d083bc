"""Metrics of new and of repeated targets apart, where known items are to be found as well.

Shape suffixes: B users of a batch, U users, K list length.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from recsys.data.user_items import UserItems
from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.metrics import RANKING_METRICS
from recsys.evaluation.segments import Segment

TARGET = "target"
TARGETS = ("new", "repeated")

_METRICS = ("recall", "ndcg", "hit_rate")


class TargetSegments:
    """Accuracy in finding what is new to a user, and in finding again what is known, both in the ranking of all items.

    Args:
        repeated: the held-out pairs that are known.
        k: cut-off.
    """

    def __init__(self, repeated: UserItems, k: int) -> None:
        self._repeated = repeated
        self._k = k
        #: Names of the measures for each user, such as ``target=new/recall@10``.
        self.columns = [f"{TARGET}={name}/{metric}@{k}" for name in TARGETS for metric in _METRICS]

    def measure(self, users: Tensor, items: Tensor, hits: Tensor, num_relevant: Tensor) -> dict[str, Tensor]:
        """The measures of a batch of users, by the names in :attr:`columns`.

        Args:
            users: shape [B], int64.
            items: recommended items, best first, shape [B, K], int64; -1 means no item.
            hits: whether each item is held out for the user, shape [B, K], bool.
            num_relevant: held-out items of each user, shape [B], int64.

        Returns:
            Shape [B] each; NaN for a user without such a target.
        """
        again = hits & self._repeated.contains(users[:, None], items.clamp(min=0))
        num_again = self._repeated.counts[users]
        parts = {"new": (hits & ~again, num_relevant - num_again), "repeated": (again, num_again)}
        return {
            f"{TARGET}={name}/{metric}@{self._k}": RANKING_METRICS[metric](*parts[name], self._k)
            for name in TARGETS
            for metric in _METRICS
        }

    def means(self, columns: Mapping[str, FloatArray]) -> tuple[Segment, ...]:
        """The means over the users who have such a target.

        Args:
            columns: measures of all users by name, shape [U] each; they include :attr:`columns`.
        """
        segments = []
        for name in TARGETS:
            values = {f"{metric}@{self._k}": columns[f"{TARGET}={name}/{metric}@{self._k}"] for metric in _METRICS}
            num_users = int((~np.isnan(values[f"recall@{self._k}"])).sum())
            means = {metric: float(mean_over_users(column[:, None])[0]) for metric, column in values.items()}
            segments.append(Segment(TARGET, name, num_users, means))
        return tuple(segments)
