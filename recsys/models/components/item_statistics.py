"""Features from popularity and freshness of items, and from a user's preference for popular items.

Shape suffixes: B queries, I items of the catalogue, C candidates of each query.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.linalg.interaction_matrix import InteractionMatrix

#: Share of the latest interactions that the trend of an item is measured by.
RECENT_SHARE = 0.1
SECONDS_PER_DAY = 86_400


class ItemStatistics(nn.Module):
    """Popularity, its trend, and the age of items, all measured on training interactions and standardised.

    Args:
        num_items: size of the item vocabulary, I.
    """

    popularity: Tensor
    freshness: Tensor
    activity: Tensor

    #: Number of features of :meth:`popularity_features` and :meth:`freshness_features` for each pair.
    num_popularity = 3
    num_freshness = 2

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.register_buffer("popularity", torch.zeros(num_items))
        self.register_buffer("freshness", torch.zeros(num_items, self.num_freshness))
        self.register_buffer("activity", torch.tensor([0.0, 1.0]))

    def measure(self, interactions: Interactions) -> None:
        """Compute the statistics of ``interactions``; freshness stays zero if they have no timestamps."""
        item = interactions.item_index
        counts = np.bincount(item, minlength=interactions.num_items)
        self.popularity.copy_(_standardised(torch.from_numpy(np.log1p(counts))))
        activity = np.log1p(np.bincount(interactions.user_index, minlength=interactions.num_users))
        self.activity.copy_(torch.tensor([activity.mean(), max(activity.std(), 1e-3)]))
        if interactions.timestamp is None or len(interactions) == 0:
            return
        end = interactions.timestamp.max()
        last = np.full(interactions.num_items, interactions.timestamp.min())
        np.maximum.at(last, item, interactions.timestamp)
        idle = np.log1p((end - last) / SECONDS_PER_DAY)
        recent = interactions.timestamp >= np.quantile(interactions.timestamp, 1 - RECENT_SHARE)
        expected = counts * recent.mean()
        trend = np.log1p(np.bincount(item[recent], minlength=interactions.num_items)) - np.log1p(expected)
        columns = (_standardised(torch.from_numpy(column)) for column in (-idle, trend))
        self.freshness.copy_(torch.stack(list(columns), dim=1))

    def popularity_features(self, histories: Histories, items: Tensor) -> Tensor:
        """Popularity of ``items``, activity of the user, and popularity relative to the mean of the user's history.

        Args:
            histories: B histories.
            items: shape [B, C], int64.

        Returns:
            Shape [B, C, 3]. Popularity and activity are standardised logarithms of numbers of interactions.
        """
        known = InteractionMatrix.from_histories(histories, len(self.popularity))
        usual = (known @ self.popularity[:, None])[:, 0] / known.counts.clamp(min=1)
        return self.popularity_beside(usual, histories.counts, self.popularity[items])

    def popularity_beside(self, usual: Tensor, counts: Tensor, popularity: Tensor) -> Tensor:
        """As :meth:`popularity_features`, from the popularity of the items, shape [B, C].

        Args:
            usual: mean popularity of the histories, shape [B].
            counts: their lengths, shape [B].
            popularity: of the items.
        """
        activity = (torch.log1p(counts.to(self.popularity.dtype)) - self.activity[0]) / self.activity[1]
        return torch.stack([popularity, activity[:, None].expand_as(popularity), popularity - usual[:, None]], dim=2)

    def freshness_features(self, items: Tensor) -> Tensor:
        """Recency of the last interaction and trend of ``items`` (shape [B, C], int64), shape [B, C, 2]."""
        return self.freshness[items]


def _standardised(column: Tensor) -> Tensor:
    centred = column.float() - column.float().mean()
    deviation = centred.square().mean().sqrt()
    return centred / deviation if deviation > 1e-6 else torch.zeros_like(centred)
