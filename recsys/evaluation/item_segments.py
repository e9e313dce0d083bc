"""Recall by item segment, such as by popularity.

Shape suffixes: B users of a batch, U users, I items, K list length, P held-out pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.metrics import recall
from recsys.evaluation.segments import Segment, relevant_by_segment


class ItemSegments:
    """Segments of the catalogue, and the recall of the held-out items of each segment in the ranking of all items.

    Args:
        group: name of the division, such as ``item_popularity``.
        names: names of the segments.
        segment_of: position in ``names`` of each item, shape [I], int64.
        k: cut-off.
        pairs: the held-out pairs of all users: the place of the user of each among the U users, and its item, shape
            [P] each, int64.
        num_users: U.
    """

    def __init__(
        self,
        group: str,
        names: Sequence[str],
        segment_of: Tensor,
        k: int,
        pairs: tuple[Tensor, Tensor],
        num_users: int,
    ) -> None:
        self._group = group
        self._names = names
        self._segment_of = segment_of
        self._k = k
        #: Held-out items of each user in each segment, shape [U, number of segments], int64.
        self.num_relevant = relevant_by_segment(*pairs, segment_of, len(names), num_users)
        #: Names of the measures for each user, such as ``item_popularity=tail/recall@10``, one for each segment.
        self.columns = [f"{group}={name}/recall@{k}" for name in names]

    def recalls(self, items: Tensor, hits: Tensor, place: slice) -> dict[str, Tensor]:
        """The recall of each segment for a batch of users, by the names in :attr:`columns`.

        Args:
            items: recommended items, shape [B, K], int64; -1 means no item.
            hits: whether each item is held out for the user, shape [B, K], bool.
            place: where the batch stands among the U users.

        Returns:
            Shape [B] each; NaN for a user without a held-out item in the segment.
        """
        num_relevant = self.num_relevant[place]
        segment_of_hit = torch.where(hits, self._segment_of[items.clamp(min=0)], -1)
        return {
            column: recall(segment_of_hit == position, num_relevant[:, position], self._k)
            for position, column in enumerate(self.columns)
        }

    def means(self, columns: Mapping[str, FloatArray]) -> tuple[Segment, ...]:
        """The mean of each segment over the users who have a held-out item in it.

        Args:
            columns: measures of all users by name, shape [U] each; they include :attr:`columns`.
        """
        return tuple(
            Segment(
                self._group,
                name,
                int((~np.isnan(columns[column])).sum()),
                {f"recall@{self._k}": float(mean_over_users(columns[column][:, None])[0])},
            )
            for name, column in zip(self._names, self.columns, strict=True)
        )
