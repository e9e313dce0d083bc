"""Finished lists as a model, so that they are measured as any model is.

Shape suffixes: B users of a batch, U users, I items, K list length.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.models.interface.protocols import Query


class FixedLists:
    """Scores the items of each user's list by their places, and has no opinion on others.

    Args:
        users: internal indices, ascending, shape [U], int64.
        items: the lists, best first, shape [U, K], int64; -1 where there is no item.
        num_items: I.
    """

    def __init__(self, users: Tensor, items: Tensor, num_items: int) -> None:
        self._users = users
        self._items = items
        self._num_items = num_items

    def score(self, query: Query) -> Tensor:
        """The scores of users with a list, shape [B, I], float32."""
        items = self._items[torch.searchsorted(self._users, query.users)]
        places = torch.arange(items.shape[1], 0, -1, device=items.device, dtype=torch.float32)
        # One column more takes what is no item.
        scores = places.new_full((len(items), self._num_items + 1), torch.nan)
        scores.scatter_(1, torch.where(items >= 0, items, self._num_items), places.expand(items.shape))
        return scores[:, :-1]
