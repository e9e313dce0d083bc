"""Negatives drawn on the training device, all at once.

Shape suffixes: B positives of a batch, N negatives of each, I items of the catalogue.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from recsys.data.user_items import UserItems
from recsys.errors import SettingsError

#: Rounds of redrawing after which a weighted draw falls back to a uniform one among the absent items.
MAX_REDRAWS = 16


class NegativeSampler(Protocol):
    """Draws negatives for the users of a batch."""

    num_negatives: int

    def prepare(self, known: UserItems) -> None:
        """Take the known positives (on the training device) before the first draw."""
        ...

    def draw(self, users: Tensor, generator: torch.Generator) -> Tensor:
        """Draw items for ``users`` (shape [B], int64); returns [B, N], int64."""
        ...

    def log_q(self, items: Tensor) -> Tensor:
        """Log of the expected count of each item among the N draws, broadcastable to the shape of ``items``."""
        ...


class UniformNegatives:
    """Negatives drawn uniformly and with replacement.

    Args:
        num_negatives: draws for each positive, N.
        reject_known: draw only items that the user has no training interaction with, exactly; otherwise any item.
    """

    def __init__(self, num_negatives: int = 4, reject_known: bool = True) -> None:
        _check(num_negatives)
        self.num_negatives = num_negatives
        self.reject_known = reject_known

    def prepare(self, known: UserItems) -> None:
        """See :class:`NegativeSampler`."""
        self._known = known
        expected = self.num_negatives / max(known.num_items, 1)
        self._log_q = torch.tensor(expected, device=known.device).log()

    def draw(self, users: Tensor, generator: torch.Generator) -> Tensor:
        """See :class:`NegativeSampler`."""
        if self.reject_known:
            return self._known.sample_absent(users, self.num_negatives, generator)
        shape = (len(users), self.num_negatives)
        return torch.randint(self._known.num_items, shape, generator=generator, device=users.device)

    def log_q(self, items: Tensor) -> Tensor:
        """See :class:`NegativeSampler`; rejection is left out of the probability, as it is small and cancels out."""
        return self._log_q


class PopularityNegatives:
    """Negatives drawn with probability proportional to ``count ** exponent``, with replacement.

    An exponent of 0.75 is that of word2vec (Mikolov et al., 2013). Items without training interactions are never drawn.

    Args:
        num_negatives: draws for each positive, N.
        exponent: 0 draws uniformly among items that were interacted with, 1 by popularity.
        reject_known: redraw items that the user has a training interaction with. A draw that is still known after
            :data:`MAX_REDRAWS` rounds becomes a uniform draw among the items that the user has not interacted with.
    """

    def __init__(self, num_negatives: int = 4, exponent: float = 0.75, reject_known: bool = True) -> None:
        _check(num_negatives)
        self.num_negatives = num_negatives
        self.exponent = exponent
        self.reject_known = reject_known

    def prepare(self, known: UserItems) -> None:
        """See :class:`NegativeSampler`."""
        counts = known.item_counts()
        weights = torch.where(counts > 0, counts.double() ** self.exponent, 0.0)
        self._known = known
        self._cumulative = weights.cumsum(0) / weights.sum()
        self._log_q = (weights / weights.sum() * self.num_negatives).log().float()

    def _draw_any(self, count: int, generator: torch.Generator) -> Tensor:
        device = self._known.device
        uniform = torch.rand(count, generator=generator, device=device, dtype=torch.float64)
        # The last cumulative value may round to just under one; the clamp keeps such a draw inside the catalogue.
        return torch.searchsorted(self._cumulative, uniform, right=True).clamp(max=self._known.num_items - 1)

    def draw(self, users: Tensor, generator: torch.Generator) -> Tensor:
        """See :class:`NegativeSampler`."""
        items = self._draw_any(len(users) * self.num_negatives, generator)
        if not self.reject_known:
            return items.view(len(users), self.num_negatives)
        flat_users = users.repeat_interleave(self.num_negatives)
        rejected = self._known.contains(flat_users, items).nonzero().squeeze(1)
        for _ in range(MAX_REDRAWS):
            if len(rejected) == 0:
                break
            items[rejected] = self._draw_any(len(rejected), generator)
            rejected = rejected[self._known.contains(flat_users[rejected], items[rejected])]
        if len(rejected) > 0:
            items[rejected] = self._known.sample_absent(flat_users[rejected], 1, generator).squeeze(1)
        return items.view(len(users), self.num_negatives)

    def log_q(self, items: Tensor) -> Tensor:
        """See :class:`NegativeSampler`; rejection is left out of the probability."""
        return self._log_q[items]


def _check(num_negatives: int) -> None:
    if num_negatives < 1:
        raise SettingsError(f"At least one negative for each positive is required, but num_negatives={num_negatives}.")
