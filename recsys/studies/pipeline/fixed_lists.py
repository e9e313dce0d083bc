"""A model that returns given lists, so that they can be evaluated like those of any model.

Shape suffixes: B users of a batch, U users, I items, K list length.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.models.interface.protocols import Query


class FixedLists:
    """Scores the items of each user's list by their rank; all other items are unscored.

    Args:
        users: internal user indices, ascending, shape [U], int64.
        items: the lists, best first, shape [U, K], int64; -1 means no item.
        num_items: I.
    """

    def __init__(self, users: Tensor, items: Tensor, num_items: int) -> None:
        self._users = users
        self._items = items
        self._num_items = num_items

    def score(self, query: Query) -> Tensor:
        """Scores for users with a list, shape [B, I], float32; NaN for items outside the list."""
        items = self._items[torch.searchsorted(self._users, query.users)]
        places = torch.arange(items.shape[1], 0, -1, device=items.device, dtype=torch.float32)
        # An extra column takes the padding.
        scores = places.new_full((len(items), self._num_items + 1), torch.nan)
        scores.scatter_(1, torch.where(items >= 0, items, self._num_items), places.expand(items.shape))
        return scores[:, :-1]
