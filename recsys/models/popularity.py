"""Most popular: the same ranking for everyone."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from recsys.data.interactions import Interactions
from recsys.models.protocols import Query


class Popularity(nn.Module):
    """Scores an item by the number of its training interactions.

    Ties in the count are left as ties. The model has an opinion on every user, known or not.

    Args:
        num_users: size of the user vocabulary; not used, taken so that every model is constructed alike.
        num_items: size of the item vocabulary, I.
    """

    counts: Tensor

    def __init__(self, num_users: int, num_items: int) -> None:
        super().__init__()
        self.register_buffer("counts", torch.zeros(num_items))

    def fit(self, interactions: Interactions) -> None:
        """Count the interactions of each item."""
        counts = np.bincount(interactions.item_index, minlength=interactions.num_items)
        self.counts.copy_(torch.from_numpy(counts))

    def score(self, query: Query) -> Tensor:
        """The counts for each query, shape [B, I], float32."""
        return self.counts.expand(len(query), -1)

    def score_pairs(self, users: Tensor, items: Tensor) -> Tensor:
        """The counts of ``items``, in the shape that ``users`` and ``items`` broadcast to."""
        return self.counts[items].expand(torch.broadcast_shapes(users.shape, items.shape))
