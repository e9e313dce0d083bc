"""The set of (user, item) pairs with an interaction, as the sorted items of each user on the device.

Shape suffixes: B users of a batch, N pairs, M pairs of all users of a batch together, U users, I items.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from recsys.data.interactions import IndexArray, Interactions
from recsys.data.row_numbers import row_dtype

#: Membership is kept as a table of one byte for each possible pair up to this many pairs (128 MiB).
MAX_TABLE_PAIRS = 2**27

#: On the CPU users that fit two bytes are kept beside up to this many pairs (32 MiB): 65,536 of 805,443 pairs are read
#: in 0.1 ms, where a search takes 7.
MAX_LISTED_PAIRS = 2**24

#: Pairs whose positions are looked up at once.
_BLOCK_PAIRS = 1 << 18
#: Draws made at once on the CPU: what they are made from takes some 60 bytes each.
_CPU_DRAWS = 1 << 18
#: Searches done at once on the CPU: their columns stay in the processor's cache, which makes them thrice as fast.
_CPU_SEARCHES = 1 << 14


class UserItems:
    """The set of (user, item) pairs of some interactions, in compressed rows (CSR): 4 bytes a pair.

    The items of a user ascend, so that membership is a binary search among them, a user's items are a slice, and an
    item that the user has *not* interacted with is drawn exactly, without rejection. Repeated pairs count once.

    Searches take as many steps as the user with most items needs, for all users alike: no shape depends on the data,
    and nothing waits for a device.

    Args:
        users: internal user indices, shape [N], any integers.
        items: internal item indices, shape [N], any integers.
        num_users: U.
        num_items: I.
    """

    #: Where the items of each user begin, shape [U + 1], int64.
    offsets: Tensor
    #: Items of all users, user after user, ascending within each, shape [N], int32.
    items: Tensor

    def __init__(self, users: Tensor, items: Tensor, num_users: int, num_items: int) -> None:
        self.num_users = num_users
        self.num_items = num_items
        self._set(users.cpu().numpy(), items.cpu().numpy(), users.device)

    @classmethod
    def from_interactions(cls, interactions: Interactions, device: torch.device | str = "cpu") -> UserItems:
        """The pairs of ``interactions`` on ``device``."""
        pairs = cls.__new__(cls)
        pairs.num_users, pairs.num_items = interactions.num_users, interactions.num_items
        pairs._set(interactions.user_index, interactions.item_index, torch.device(device))
        return pairs

    def _set(self, users: IndexArray, items: IndexArray, device: torch.device) -> None:
        """Sort the pairs by counting, on the CPU, and move them to ``device``."""
        from scipy.sparse import coo_array  # commands that read no data do without

        present = np.ones(len(users), dtype=np.bool_)
        shape = (self.num_users, max(self.num_items, 1))
        # Users and items are counted in int32 for as long as they fit, which copies nothing.
        matrix = coo_array((present, (users.astype(np.int32, copy=False), items.astype(np.int32, copy=False))), shape)
        rows = matrix.tocsr()  # sorted, and each pair once
        self.offsets = torch.from_numpy(rows.indptr.astype(np.int64)).to(device)
        self.items = torch.from_numpy(rows.indices.astype(np.int32, copy=False)).to(device)
        self._steps = int(np.diff(rows.indptr).max(initial=0)).bit_length()

    def __len__(self) -> int:
        return len(self.items)

    @property
    def device(self) -> torch.device:
        """Where the pairs are."""
        return self.items.device

    @property
    def counts(self) -> Tensor:
        """Items of each user, shape [U], int64."""
        return self.offsets.diff()

    @property
    def users(self) -> Tensor:
        """User of each pair, shape [N], int64; eight bytes a pair, made anew each time."""
        return torch.repeat_interleave(torch.arange(self.num_users, device=self.device), self.counts)

    def item_counts(self) -> Tensor:
        """Users of each item, shape [I], int64."""
        return torch.bincount(self.items, minlength=self.num_items)

    def sums(self, interactions: Interactions) -> Tensor:
        """The sum of the weights of each pair over ``interactions`` with this pair, shape [N], float32; 1 each without.

        Args:
            interactions: those that the pairs were made from.
        """
        weight = interactions.weight
        if weight is None:
            return torch.ones(len(self), device=self.device)
        totals = torch.zeros(len(self), dtype=torch.float64, device=self.device)
        weights = torch.from_numpy(weight.astype(np.float64)).to(self.device)
        return totals.index_add_(0, self.places_of(interactions), weights).float()

    def places_of(self, interactions: Interactions) -> Tensor:
        """Where the pair of each of M interactions stands among the pairs, shape [M], int32 where N fits.

        Args:
            interactions: of pairs that are in the set.
        """
        users, items = interactions.user_index, interactions.item_index
        places = torch.empty(len(users), dtype=self._place_dtype, device=self.device)
        for start in range(0, len(users), _BLOCK_PAIRS):
            part = slice(start, start + _BLOCK_PAIRS)
            # astype copies: PyTorch takes neither read-only arrays (such as those of Arrow) nor reversed views.
            asked = torch.from_numpy(users[part].astype(np.int64)).to(self.device)
            wanted = torch.from_numpy(items[part].astype(np.int64)).to(self.device)
            places[part] = self.offsets[asked] + self._count_below(asked, wanted)
        return places

    def pairs_at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """The user and the item of the pairs at ``places`` (shape [M]), each of shape [M], int64."""
        listed = self._listed_users
        if listed is not None:
            return listed.index_select(0, places).long(), self.items.index_select(0, places).long()
        places = places.long()
        users = torch.searchsorted(self.offsets, places, right=True) - 1
        return users, self.items.index_select(0, places).long()

    @cached_property
    def _listed_users(self) -> Tensor | None:
        """User of each pair, shape [N], int16; None where that is left to a search."""
        fits = self.num_users <= torch.iinfo(torch.int16).max and len(self) <= MAX_LISTED_PAIRS
        return self.users.short() if self.device.type == "cpu" and fits else None

    @property
    def _place_dtype(self) -> torch.dtype:
        """Type of positions among the pairs."""
        return torch.int32 if row_dtype(len(self)) is np.int32 else torch.int64

    def contains(self, users: Tensor, items: Tensor) -> Tensor:
        """Whether each pair is in the set; ``users`` and ``items`` broadcast against each other."""
        users, items = torch.broadcast_tensors(users.long(), items.long())
        if len(self.items) == 0:
            return torch.zeros_like(users, dtype=torch.bool)
        valid = (users >= 0) & (items >= 0) & (items < self.num_items)
        known = users.clamp(min=0)
        if self._has_table and self.device.type == "cpu":
            return self._table[known * self.num_items + items.clamp(min=0, max=self.num_items - 1)] & valid
        place = self.offsets[known] + self._count_below(known, items)
        inside = place < self.offsets[known + 1]
        return (self.items[place.clamp(max=len(self.items) - 1)] == items) & inside & valid

    def _count_below(self, users: Tensor, bound: Tensor, absent: bool = False) -> Tensor:
        """How many items of each user are below a bound.

        Args:
            users: shape [...], int64.
            bound: shape [...], int64.
            absent: count the items before which fewer than ``bound`` items are absent, in place of those below it.

        Returns:
            Shape [...], int64.
        """
        flat_users, flat_bound = users.reshape(-1), bound.reshape(-1)
        size = _CPU_SEARCHES if self.device.type == "cpu" else max(len(flat_users), 1)
        parts = zip(flat_users.split(size), flat_bound.split(size), strict=True)
        return torch.cat([self._search(*part, absent) for part in parts]).view(bound.shape)

    def _search(self, users: Tensor, bound: Tensor, absent: bool) -> Tensor:
        """One block of :meth:`_count_below`, of shape [M]: halves the step until it is one."""
        dtype = self._place_dtype
        begin = self.offsets.index_select(0, users).to(dtype)
        last = self.offsets.index_select(0, users + 1).to(dtype) - 1
        # The ``step`` next items are below the bound if the last of them is, which stands at place + step.
        place, inside = begin - 1, last.clamp(min=0)
        for step in (1 << power for power in reversed(range(self._steps))):
            ahead = place + step
            item = self.items.index_select(0, torch.minimum(ahead, inside))
            if absent:
                item = item.sub_(ahead).add_(begin)
            place.add_((item < bound) & (ahead <= last), alpha=step)
        return (place - begin + 1).long()

    @property
    def _has_table(self) -> bool:
        return self.num_users * self.num_items <= MAX_TABLE_PAIRS

    @cached_property
    def _table(self) -> Tensor:
        """Membership of every possible pair, shape [U * I], bool: a look-up instead of a search."""
        table = torch.zeros(self.num_users * self.num_items, dtype=torch.bool, device=self.device)
        table[self.users * self.num_items + self.items] = True
        return table

    def pairs_of(self, users: Tensor, total: int | None = None) -> tuple[Tensor, Tensor]:
        """All pairs of a batch of users.

        Args:
            users: shape [B], int64; -1 stands for a user without interactions.
            total: M, where it is known on the host: then nothing waits for the device.

        Returns:
            The position in ``users`` and the item of each pair, each of shape [M], int64.
        """
        row, positions = self._rows_and_positions(users, total)
        return row, self.items[positions].long()

    def positions_of(self, users: Tensor) -> Tensor:
        """Where the pairs of :meth:`pairs_of` stand among all pairs, shape [M], int64."""
        return self._rows_and_positions(users)[1]

    def _rows_and_positions(self, users: Tensor, total: int | None = None) -> tuple[Tensor, Tensor]:
        known = users.clamp(min=0)
        start = self.offsets[known]
        count = torch.where(users >= 0, self.offsets[known + 1] - start, 0)
        row = torch.repeat_interleave(torch.arange(len(users), device=users.device), count, output_size=total)
        shift = start - (count.cumsum(0) - count)
        return row, torch.arange(len(row), device=row.device) + shift[row]

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
        size = max(_CPU_DRAWS // max(num_samples, 1), 1)
        if self.device.type != "cpu" or len(users) <= size:
            return self._draw_block(users, num_samples, generator)
        drawn = torch.empty(len(users), num_samples, dtype=torch.int64)
        for start in range(0, len(users), size):
            part = slice(start, start + size)
            drawn[part] = self._draw_block(users[part], num_samples, generator)
        return drawn

    def _draw_block(self, users: Tensor, num_samples: int, generator: torch.Generator | None) -> Tensor:
        """The same for some users at once."""
        absent = self.num_items - (self.offsets[users + 1] - self.offsets[users])
        uniform = torch.rand(len(users), num_samples, generator=generator, device=users.device, dtype=torch.float64)
        drawn = (uniform * torch.where(absent > 0, absent, self.num_items)[:, None]).long()
        if len(self.items) == 0:
            return drawn
        # The r-th item absent from a user's row is r plus the number of items before which at most r are absent.
        before = self._count_below(users[:, None].expand_as(drawn), drawn + 1, absent=True)
        return torch.where(absent[:, None] > 0, drawn + before, drawn)
