"""The set of (user, item) pairs with an interaction, as a sorted list of keys on the device.

Shape suffixes: B users of a batch, N pairs, M pairs of all users of a batch together, U users, I items.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from recsys.data.interactions import Interactions

#: Membership is kept as a table of one byte for each possible pair up to this many pairs (128 MiB).
MAX_TABLE_PAIRS = 2**27


class UserItems:
    """The set of (user, item) pairs of some interactions.

    Pairs are kept sorted by user and item, so that membership is a binary search, a user's items are a slice, and an
    item that the user has *not* interacted with is drawn exactly, without rejection. Repeated pairs count once.

    Args:
        users: internal user indices, shape [N], int64.
        items: internal item indices, shape [N], int64.
        num_users: U.
        num_items: I.
    """

    def __init__(self, users: Tensor, items: Tensor, num_users: int, num_items: int) -> None:
        self.num_users = num_users
        self.num_items = num_items
        self._keys = torch.unique(users.long() * num_items + items.long(), sorted=True)
        self.users = torch.div(self._keys, max(num_items, 1), rounding_mode="floor")
        self.items = self._keys - self.users * num_items
        self.counts = torch.bincount(self.users, minlength=num_users)
        self.offsets = torch.cat([self.counts.new_zeros(1), self.counts.cumsum(0)])
        # The r-th item absent from a user's row is r plus the number of present items whose own count of absent
        # items before them is at most r; these keys make that number one binary search over all users at once.
        rank = torch.arange(len(self._keys), device=self._keys.device) - self.offsets[self.users]
        self._absent_keys = self.users * (num_items + 1) + self.items - rank

    @classmethod
    def from_interactions(cls, interactions: Interactions, device: torch.device | str = "cpu") -> UserItems:
        """The pairs of ``interactions`` on ``device``."""
        # astype copies: PyTorch takes neither read-only arrays (such as those of Arrow) nor reversed views.
        return cls(
            torch.from_numpy(interactions.user_index.astype(np.int64)).to(device),
            torch.from_numpy(interactions.item_index.astype(np.int64)).to(device),
            interactions.num_users,
            interactions.num_items,
        )

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def device(self) -> torch.device:
        """Where the pairs are."""
        return self._keys.device

    def item_counts(self) -> Tensor:
        """Users of each item, shape [I], int64."""
        return torch.bincount(self.items, minlength=self.num_items)

    def sums(self, interactions: Interactions) -> Tensor:
        """The sum of the weights of each pair over ``interactions`` with this pair, shape [N], float32; 1 each without.

        Args:
            interactions: those that the pairs were made from.
        """
        if interactions.weight is None:
            return torch.ones(len(self), device=self.device)
        keys = torch.from_numpy(interactions.pairs).to(self.device)
        totals = torch.zeros(len(self), dtype=torch.float64, device=self.device)
        weight = torch.from_numpy(interactions.weight.astype(np.float64)).to(self.device)
        return totals.index_add_(0, torch.searchsorted(self._keys, keys), weight).float()

    def contains(self, users: Tensor, items: Tensor) -> Tensor:
        """Whether each pair is in the set; ``users`` and ``items`` broadcast against each other."""
        keys = users.long() * self.num_items + items  # a key does not fit into the int32 of an index
        if len(self._keys) == 0:
            return torch.zeros_like(keys, dtype=torch.bool)
        if self._has_table and self.device.type == "cpu":
            return self._table[keys.clamp(min=0)] & (keys >= 0)
        position = torch.searchsorted(self._keys, keys).clamp(max=len(self._keys) - 1)
        return self._keys[position] == keys

    @property
    def _has_table(self) -> bool:
        return self.num_users * self.num_items <= MAX_TABLE_PAIRS

    @cached_property
    def _table(self) -> Tensor:
        """Membership of every possible pair, shape [U * I], bool: a look-up instead of a search."""
        table = torch.zeros(self.num_users * self.num_items, dtype=torch.bool, device=self.device)
        table[self._keys] = True
        return table

    def pairs_of(self, users: Tensor, total: int | None = None) -> tuple[Tensor, Tensor]:
        """All pairs of a batch of users.

        Args:
            users: shape [B], int64; -1 stands for a user without interactions.
            total: M, where it is known on the host: then nothing waits for the device.

        Returns:
            The position in ``users`` and the item of each pair, each of shape [M], int64.
        """
        known = users.clamp(min=0)
        start = self.offsets[known]
        count = torch.where(users >= 0, self.counts[known], 0)
        row = torch.repeat_interleave(torch.arange(len(users), device=users.device), count, output_size=total)
        return row, self.items[self._positions(start, count, row)]

    def positions_of(self, users: Tensor) -> Tensor:
        """Where the pairs of :meth:`pairs_of` stand among all pairs, shape [M], int64."""
        known = users.clamp(min=0)
        count = torch.where(users >= 0, self.counts[known], 0)
        row = torch.repeat_interleave(torch.arange(len(users), device=users.device), count)
        return self._positions(self.offsets[known], count, row)

    @staticmethod
    def _positions(start: Tensor, count: Tensor, row: Tensor) -> Tensor:
        shift = start - (count.cumsum(0) - count)
        return torch.arange(len(row), device=row.device) + shift[row]

    def sample_absent(self, users: Tensor, num_samples: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw items that the users have not interacted with, uniformly and with replacement.

        Args:
            users: shape [B], int64.
            num_samples: draws for each user, N.
            generator: source of randomness, on the same device.

        Returns:
            Item indices, shape [B, N], int64. A user who has interacted with every item has none absent: their draws
            are uniform over the catalogue.
        """
        if self.device.type != "cpu" or not self._has_table:
            return self._draw_absent(users, num_samples, generator)
        # Rejection once: an item drawn from the whole catalogue that is absent is uniform over the absent items. A draw
        # that is present is replaced by a draw among the absent items, which is uniform over them as well.
        drawn = torch.randint(self.num_items, (len(users), num_samples), generator=generator)
        keys = users[:, None] * self.num_items + drawn
        row, column = self._table.index_select(0, keys.view(-1)).view(keys.shape).nonzero(as_tuple=True)
        if len(row) > 0:
            drawn[row, column] = self._draw_absent(users[row], 1, generator).squeeze(1)
        return drawn

    def _draw_absent(self, users: Tensor, num_samples: int, generator: torch.Generator | None) -> Tensor:
        """Draw a rank among the absent items and find its item, without rejection; arguments as above."""
        absent = self.num_items - self.counts[users]
        uniform = torch.rand(len(users), num_samples, generator=generator, device=users.device, dtype=torch.float64)
        drawn = (uniform * torch.where(absent > 0, absent, self.num_items)[:, None]).long()
        position = torch.searchsorted(self._absent_keys, users[:, None] * (self.num_items + 1) + drawn, right=True)
        return torch.where(absent[:, None] > 0, drawn + position - self.offsets[users][:, None], drawn)
