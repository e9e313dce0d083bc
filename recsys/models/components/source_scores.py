"""Scores of several models for the same users, on one scale.

Shape suffixes: B queries, I items of the catalogue, S models, C candidates of each query.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

#: Standardised scores that differ by less share a rank, since rounding may change their order.
TIE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class SourceScores:
    """Scores of S models for B users.

    Args:
        scores: scores standardised over the unseen items of the user, shape [B, S, I], float32; 0 for unscored items.
        given: whether a model scores an item, shape [B, S, I], bool.
        unseen: whether an item is not in the user's history, shape [B, I], bool.
    """

    scores: Tensor
    given: Tensor
    unseen: Tensor

    @classmethod
    def of(cls, scores: Tensor, unseen: Tensor) -> SourceScores:
        """Standardise ``scores`` (shape [B, S, I], NaN for unscored items).

        Mean and deviation are those of the unseen items of the user, since scores of training interactions are
        distributed differently; where the unseen items differ by rounding alone, the deviation is that of all scored
        items. A model that gives all items the same score has zeros.
        """
        return cls.with_scale(scores, unseen)[0]

    @classmethod
    def with_scale(cls, scores: Tensor, unseen: Tensor) -> tuple[SourceScores, Tensor, Tensor]:
        """As :meth:`of`, with what it takes to put other scores on the same scale.

        Returns:
            The scores, the mean of each model for each user and what a difference from it is multiplied by, both of
            shape [B, S, 1].
        """
        given = scores.isfinite()
        # As numbers of the scores' type, which are summed several times as fast as truth values; exact up to 2**24.
        scored = given.to(scores.dtype)
        counted = scored * unseen[:, None, :].to(scores.dtype)
        count = counted.sum(2, keepdim=True).clamp(min=1)
        known = scores.masked_fill(~given, 0)
        mean = (known * counted).sum(2, keepdim=True) / count
        centred = (known - mean) * scored
        deviation = ((centred * counted).square().sum(2, keepdim=True) / count).sqrt()
        # A deviation that is due to rounding, beside the largest score, would make noise of all scores: that of all
        # scored items takes its place, and where it is rounding too, the scores are equal.
        smallest = 1e-5 * known.abs().amax(2, keepdim=True)
        whole = (centred.square().sum(2, keepdim=True) / scored.sum(2, keepdim=True).clamp(min=1)).sqrt()
        deviation = torch.where(deviation > smallest, deviation, whole)
        scale = torch.where(deviation > smallest, 1 / deviation.clamp(min=torch.finfo(scores.dtype).tiny), 0)
        return cls(centred * scale, given, unseen), mean, scale

    def ranks(self) -> Tensor:
        """Log rank of each item among the unseen ones, shape [B, S, I]: 1 for the first, falling to 0 for the last.

        The rank is the number of unseen items that score higher by more than :data:`TIE`. Unscored items come last.
        """
        num_items = self.scores.shape[2]
        ascending = self.comparable().sort(dim=2).values
        own = self.scores.masked_fill(~self.given, -torch.inf)
        higher = num_items - torch.searchsorted(ascending, own + TIE, right=True)
        return rank_of_place(higher, num_items, self.scores.dtype)

    def retrieved(self, num_candidates: int) -> Tensor:
        """Whether an item is among the top ``num_candidates`` unseen items of any model, shape [B, I], bool."""
        comparable = self.comparable()
        best = comparable.topk(min(num_candidates, comparable.shape[2]), dim=2)
        found = torch.zeros_like(self.unseen)
        for items, scores in zip(best.indices.unbind(1), best.values.unbind(1), strict=True):
            # No item occurs twice for one model; candidates of other models are kept.
            found |= torch.zeros_like(found).scatter_(1, items, scores > -torch.inf)
        return found

    def comparable(self) -> Tensor:
        """The scores, minus infinity for seen and unscored items, shape [B, S, I]."""
        return self.scores.masked_fill(~(self.given & self.unseen[:, None, :]), -torch.inf)


def rank_of_place(higher: Tensor, num_items: int, dtype: torch.dtype) -> Tensor:
    """Log rank ``1 - log(1 + higher) / log(1 + num_items)`` of an item that ``higher`` items (int64) score above."""
    return 1 - torch.log1p(higher.to(dtype)) / math.log(num_items + 1)


def gather_items(values: Tensor, items: Tensor) -> Tensor:
    """The ``values`` (shape [B, S, I]) of ``items`` (shape [B, C], int64), shape [B, C, S]."""
    index = items[:, None, :].expand(-1, values.shape[1], -1)
    return values.gather(2, index).transpose(1, 2)
